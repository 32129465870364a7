/**
 * The form of the files that the gateway keeps for itself: a JSON object that names its format and holds
 * the SHA-256 of its content, so that damage is noticed rather than served.
 */
import { createHash } from 'node:crypto';

/** The text is not what was once written: it says why, for a message that names the file. */
export class DamagedTextError extends Error {}

const CHECKSUM_KEY = ',"sha256":"';

/**
 * One line of JSON, without a line feed, of which the pieces of `content` are a part. The checksum comes
 * last, so that the content need not be there as a whole. `format` includes a version.
 */
export function* checksummedPieces(format: string, content: Iterable<string>): Generator<string> {
  const hash = createHash('sha256');
  yield openingOf(format);
  for (const piece of content) {
    hash.update(piece);
    yield piece;
  }
  yield `${CHECKSUM_KEY}${hash.digest('hex')}"}`;
}

/** `content` as one line of JSON with its checksum, without a line feed. */
export function encodeChecksummed(format: string, content: unknown): string {
  return [...checksummedPieces(format, [JSON.stringify(content)])].join('');
}

/**
 * The content of what was encoded. White space between the values may differ, unless the content has keys
 * that look like array indices: for those JSON has an order of its own.
 * @throws DamagedTextError where it is no JSON, of another format, or not what was written.
 */
export function decodeChecksummed(format: string, text: string): unknown {
  const envelope = parseEnvelope(text);
  if (envelope.format !== format) {
    throw new DamagedTextError(`its format is ${JSON.stringify(envelope.format)}, expected "${format}"`);
  }
  const { content, sha256 } = envelope;
  if (content === undefined || !(sha256 === digestAsWritten(format, text) || sha256 === digestOf(content))) {
    throw new DamagedTextError('its checksum does not match its content');
  }
  return content;
}

function openingOf(format: string): string {
  return `{"format":${JSON.stringify(format)},"content":`;
}

/** Null where the text has another form, because somebody formatted it. */
function digestAsWritten(format: string, text: string): string | null {
  const opening = openingOf(format);
  const end = text.lastIndexOf(CHECKSUM_KEY);
  if (!text.startsWith(opening) || end < opening.length) return null;
  return createHash('sha256').update(text.slice(opening.length, end)).digest('hex');
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

interface Envelope {
  readonly format?: unknown;
  readonly sha256?: unknown;
  readonly content?: unknown;
}

function parseEnvelope(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DamagedTextError('it is not valid JSON');
  }
  if (typeof value !== 'object' || value === null) throw new DamagedTextError('it is not a JSON object');
  return value;
}

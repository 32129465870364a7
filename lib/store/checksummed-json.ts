/**
 * The form of the files that the gateway keeps for itself: a JSON object that names its format and holds
 * the SHA-256 of its content, so that damage is noticed rather than served.
 */
import { createHash } from 'node:crypto';

/** The text is not what was once written: it says why, for a message that names the file. */
export class DamagedTextError extends Error {}

/** `content` as one line of JSON with its checksum, without a line feed. `format` includes a version. */
export function encodeChecksummed(format: string, content: unknown): string {
  const body = JSON.stringify(content);
  return `{"format":${JSON.stringify(format)},"sha256":"${digest(body)}","content":${body}}`;
}

/**
 * The content of what `encodeChecksummed` wrote. White space between the values may differ.
 * @throws DamagedTextError where it is no JSON, of another format, or not what was written.
 */
export function decodeChecksummed(format: string, text: string): unknown {
  const envelope = parseEnvelope(text);
  if (envelope.format !== format) {
    throw new DamagedTextError(`its format is ${JSON.stringify(envelope.format)}, expected "${format}"`);
  }
  if (envelope.content === undefined || envelope.sha256 !== digest(JSON.stringify(envelope.content))) {
    throw new DamagedTextError('its checksum does not match its content');
  }
  return envelope.content;
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

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

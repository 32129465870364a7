/** Changes to bytes that were well-formed, as plain data, so that fast-check can shrink and print them. */
import fc from 'fast-check';

export interface Mutation {
  readonly kind: 'flip' | 'delete' | 'duplicate' | 'duplicate line' | 'insert' | 'move' | 'cut';
  /** Where: at a share of the bytes in ten-thousandths, or at a line end. */
  readonly at: number;
  readonly anchor: 'anywhere' | 'line end';
  /** How far from there, for those at a line end. */
  readonly shift: number;
  readonly length: number;
  readonly bit: number;
  readonly text: string;
}

/** What parsers have read differently: single bytes, and lines known from attacks. */
export const COMMON_SNIPPETS: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\0',
    '\t',
    ' ',
    '\x0b',
    '\x7f',
    '\x80',
    '\xff',
    ':',
    ';',
    ',',
    '"',
    '+',
    '-',
    '0',
    '0x',
  ],
  '\r\n\r\n',
  '\n\n',
  '\r\n ',
  '0\r\n\r\n',
  '0\n\n',
  '1\r\nZ\r\n',
  ';\n',
  ';a="\r\n"',
  'ffffffffffffffff\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer_Encoding: chunked\r\n',
  'X: a\rTransfer-Encoding: chunked\r\n',
  'X: a\nTransfer-Encoding: chunked\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 7\r\n',
  'Content-Length: +7\r\n',
  'Content-Length: 7, 7\r\n',
  'Content_Length: 7\r\n',
  'Connection: close\r\n',
  'Connection: close, content-length, transfer-encoding, host\r\n',
  'Keep-Alive: timeout=1\r\n',
  'Trailer: X-Late\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
];

/** One to four changes; `snippets` are what may be inserted. */
export function mutations(snippets: readonly string[]): fc.Arbitrary<readonly Mutation[]> {
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    kind: fc.constantFrom(
      'flip',
      'delete',
      'duplicate',
      'duplicate line',
      'insert',
      'insert',
      'insert',
      'move',
      'cut',
    ),
    at: fc.integer({ min: 0, max: 9_999 }),
    anchor: fc.constantFrom('anywhere', 'line end'),
    shift: fc.integer({ min: -2, max: 2 }),
    length: fc.integer({ min: 1, max: 24 }),
    bit: fc.integer({ min: 0, max: 7 }),
    text: fc.constantFrom(...snippets),
  });
  return fc.array(mutation, { minLength: 1, maxLength: 4 });
}

export function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce(applyMutation, bytes);
}

function applyMutation(bytes: Buffer, mutation: Mutation): Buffer {
  if (bytes.length === 0) return bytes;
  const at = positionOf(bytes, mutation);
  const end = Math.min(bytes.length, at + mutation.length);
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (mutation.kind) {
    case 'flip':
      return flipBit(bytes, at, mutation.bit);
    case 'delete':
      return Buffer.concat([before, after]);
    case 'duplicate':
      return Buffer.concat([before, piece, piece, after]);
    case 'duplicate line':
      return duplicateLine(bytes, at);
    case 'insert':
      return Buffer.concat([before, Buffer.from(mutation.text, 'latin1'), piece, after]);
    case 'move':
      return Buffer.concat([before, after, piece]);
    case 'cut':
      return before;
  }
}

/** Twice the line that begins behind the next line end. */
function duplicateLine(bytes: Buffer, at: number): Buffer {
  const before = bytes.indexOf('\r\n', at);
  const start = before === -1 ? 0 : before + 2;
  const end = bytes.indexOf('\r\n', start);
  return end === -1 ? bytes : Buffer.concat([bytes.subarray(0, end + 2), bytes.subarray(start)]);
}

function flipBit(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

function positionOf(bytes: Buffer, { anchor, at, shift }: Mutation): number {
  const anywhere = Math.floor((bytes.length * at) / 10_000);
  if (anchor === 'anywhere') return anywhere;
  const lineEnd = bytes.indexOf('\r\n', anywhere);
  if (lineEnd === -1) return anywhere;
  return Math.max(0, Math.min(bytes.length - 1, lineEnd + 2 + shift));
}

/** Cuts bytes at the given shares (ten-thousandths) into the pieces that are sent one by one. */
export function cutIntoPieces(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const cuts = shares.map((share) => Math.floor((bytes.length * share) / 10_000)).sort((a, b) => a - b);
  const edges = [0, ...cuts, bytes.length];
  const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index] ?? 0, end));
  return pieces.filter((piece) => piece.length > 0);
}

/** Bytes as a string literal that gives them back exactly. */
export function showBytes(bytes: Buffer): string {
  const toEscape = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  const text = bytes.toString('latin1').replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const named = text.replaceAll('\r', '\\r').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `'${named.replace(/[^\x20-\x7e]/g, toEscape)}'`;
}

/**
 * The most lenient origin: line ends of any kind, white space before the colon, folded lines, any coding that
 * names chunks, the first of several lengths, sizes read as far as they are digits. What the gateway sends must
 * mean to it what it means to a strict one.
 */

/** How many bytes of `bytes` the first request takes; null where it is not whole. */
export function measureLeniently(bytes: Buffer): number | null {
  const text = bytes.toString('latin1');
  const end = /\r?\n\r?\n|\r\r/.exec(text);
  if (end === null) return null;
  const bodyStart = end.index + end[0].length;
  const fields = readFields(text.slice(0, end.index));
  const isChunked = fields.some(([name, value]) => name === 'transfer-encoding' && /chunked/i.test(value));
  if (isChunked) return measureChunks(text, bodyStart);
  const [, length = '0'] = fields.find(([name]) => name === 'content-length') ?? [];
  return bodyStart + (Number.parseInt(length, 10) || 0);
}

function readFields(head: string): (readonly [name: string, value: string])[] {
  const unfolded = head.replace(/(?:\r\n|\r|\n)[ \t]+/g, ' ');
  const [, ...lines] = unfolded.split(/\r\n|\r|\n/);
  return lines.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon === -1 ? line.length : colon);
    // A server that hands fields on as variables takes both marks for the same.
    return [name.trim().toLowerCase().replaceAll('_', '-'), line.slice(name.length + 1).trim()];
  });
}

function measureChunks(text: string, start: number): number | null {
  let offset = start;
  for (;;) {
    const lineEnd = text.indexOf('\n', offset);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(offset, lineEnd), 16) || 0;
    offset = lineEnd + 1;
    if (size === 0) return endOfTrailers(text, offset);
    offset += size;
    if (text[offset] === '\r') offset += 1;
    if (text[offset] === '\n') offset += 1;
  }
}

function endOfTrailers(text: string, start: number): number | null {
  let offset = start;
  for (;;) {
    const lineEnd = text.indexOf('\n', offset);
    if (lineEnd === -1) return null;
    const isEmpty = text.slice(offset, lineEnd).trim() === '';
    offset = lineEnd + 1;
    if (isEmpty) return offset;
  }
}

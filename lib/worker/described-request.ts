/** From a described request to the bytes that a client would send for it. */
import { quoteText } from '../core/config/quote-text.ts';
import { ERRORS } from '../core/errors.ts';
import type { ExplainRequest } from '../core/explain/explanation.ts';
import { MOST_HEADER_BYTES } from '../ipc/protocol.ts';
import { Refusal } from '../proxy/admission.ts';

/**
 * The parser has refused a head before it gets this far: it counts names and values alone, but a field has a
 * character of name at least, and so is at most five times as long with its colon, space and line end.
 */
const LONGEST_HEAD = 8 * MOST_HEADER_BYTES;

/** With any of these the bytes would be other fields, or another request, than what was described. */
const LINE_BREAK = /[\r\n]/;
const NO_BYTE = /[\u0100-\uffff]/;

/** The authority of an absolute URL, which is also what its client says in Host. */
const AUTHORITY = /^https?:\/\/([^/?#]+)/i;

/**
 * Writes the head of the request. A Host field is added where the URL is absolute and none is given. Returns
 * why not where no client could send such a request.
 */
export function formatDescribedRequest({ method, url, headers }: ExplainRequest): Buffer | Refusal {
  if (LINE_BREAK.test(method) || LINE_BREAK.test(url)) {
    return new Refusal(ERRORS.badRequest, 'a line break in the method or the URL');
  }
  // UTF-8, so that what is not ASCII is refused as what it is instead of being taken for another character.
  const startLine = Buffer.from(`${cutText(method)} ${cutText(url)} HTTP/1.1\r\n`, 'utf8');
  const authority = AUTHORITY.exec(url)?.[1];
  const needsHost = authority !== undefined && !headers.some(([name]) => name.toLowerCase() === 'host');
  const fields = formatFields(needsHost ? [['Host', authority], ...headers] : headers);
  return fields instanceof Refusal ? fields : Buffer.concat([startLine, Buffer.from(fields, 'latin1')]);
}

function cutText(text: string): string {
  return text.slice(0, LONGEST_HEAD);
}

function formatFields(headers: ExplainRequest['headers']): string | Refusal {
  let fields = '';
  for (const [name, value] of headers) {
    if (fields.length > LONGEST_HEAD) break;
    const field = `${cutText(name)}: ${cutText(value)}`;
    if (LINE_BREAK.test(field)) return refuseField(name, 'a line break');
    if (NO_BYTE.test(field)) return refuseField(name, 'a character that is no byte');
    fields += `${field}\r\n`;
  }
  return `${fields}\r\n`;
}

function refuseField(name: string, fault: string): Refusal {
  return new Refusal(ERRORS.badRequest, `${fault} in the header ${quoteText(name)}`);
}

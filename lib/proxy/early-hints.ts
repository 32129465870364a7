import { formatFields } from './wire-fields.ts';

/** What a value of Link begins with (RFC 8288 §3): what does not is no link, and a hint may as well be left out. */
const LINK = /^<[^<>]*>/;

/** The Link fields of a 103 (RFC 8297) as the client gets them, which is what early hints are for; '' without any. */
export function formatEarlyHints(rawHeaders: readonly string[]): string {
  const links: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === 'link') links.push(rawHeaders[index + 1]!);
  }
  if (links.length === 0 || !links.every((link) => LINK.test(link))) return '';
  return `HTTP/1.1 103 Early Hints\r\n${formatFields(['Link', links.join(', ')])}\r\n`;
}

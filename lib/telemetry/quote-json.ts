/** What JSON has to escape, and what is no ASCII, which nearly no text has. */
const UNUSUAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/** A text as JSON writes it. */
export function quoteJson(text: string): string {
  return UNUSUAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

const MAX_QUOTED_LENGTH = 80;

/** Text of a user within a message: in quotes, escaped, and cut where it is long. */
export function quoteText(text: string): string {
  return text.length > MAX_QUOTED_LENGTH
    ? `${JSON.stringify(text.slice(0, MAX_QUOTED_LENGTH))}…`
    : JSON.stringify(text);
}

/**
 * The parameters of a raw query string as name, value, name, value …, decoded as forms encode them
 * (WHATWG URL, application/x-www-form-urlencoded), except that text with a malformed escape stays as it is.
 */
export function parseQueryPairs(query: string): string[] {
  const pairs: string[] = [];
  let start = 0;
  while (start < query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    if (end > start) {
      appendPair(pairs, query.slice(start, end));
    }
    start = end + 1;
  }
  return pairs;
}

function appendPair(pairs: string[], text: string): void {
  const equals = text.indexOf('=');
  if (equals === -1) {
    pairs.push(decode(text), '');
  } else {
    pairs.push(decode(text.slice(0, equals)), decode(text.slice(equals + 1)));
  }
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) {
    return text;
  }
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

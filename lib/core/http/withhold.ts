/** Takes credentials out of what goes to an origin. */

/** A query without the parameters of a name, whatever their spelling; the others stay as they are. */
export function withoutParameter(query: string, name: string): string {
  return query
    .split('&')
    .filter((parameter) => decodeName(parameter.split('=', 1)[0]!) !== name)
    .join('&');
}

/** Percent escapes and '+' as forms write them; what does not decode is taken as it stands. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** The value of a Cookie field without the cookies of a name; empty where nothing is left. */
export function withoutCookie(value: string, name: string): string {
  return value
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.split('=', 1)[0]!.trim() !== name)
    .join('; ');
}

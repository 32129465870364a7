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

/** Takes the cookies of a name out of a flat header list, and fields of which nothing is left. In place. */
export function removeCookie(headers: string[], name: string): void {
  let kept = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const field = headers[index]!;
    let value = headers[index + 1]!;
    if (field.length === 6 && field.toLowerCase() === 'cookie') {
      value = withoutCookie(value, name);
      if (value === '') continue;
    }
    headers[kept++] = field;
    headers[kept++] = value;
  }
  headers.length = kept;
}

/** The value of a Cookie field without the cookies of a name; the others stay as they are. */
function withoutCookie(value: string, name: string): string {
  const cookies = value.split(';');
  const left = cookies.filter((cookie) => cookie.split('=', 1)[0]!.trim() !== name);
  return left.length === cookies.length ? value : left.join(';').trimStart();
}

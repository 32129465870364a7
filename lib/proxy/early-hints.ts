/** The Link fields of a 103 (RFC 8297), which is what early hints are for; null where there are none. */
export function earlyHintsOf(rawHeaders: readonly string[]): { link: string[] } | null {
  const link: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === 'link') link.push(rawHeaders[index + 1]!);
  }
  return link.length === 0 ? null : { link };
}

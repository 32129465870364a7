import type { ServerResponse } from 'node:http';

/** Passes on the Link fields of a 103 (RFC 8297), which is what early hints are for. */
export function writeEarlyHints(response: ServerResponse, rawHeaders: readonly string[]): void {
  const link: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === 'link') link.push(rawHeaders[index + 1]!);
  }
  try {
    if (link.length > 0) response.writeEarlyHints({ link });
  } catch {
    // A malformed Link: hints are optional, the response itself follows.
  }
}

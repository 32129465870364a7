/** Where the body of a request ends (RFC 9112 §6.3). */
import type { RequestHead } from '../../core/http/request-headers.ts';

/** The length of a body that ends with its last chunk. */
export const CHUNKED = -1;
/** Two readers could disagree: nothing behind the head can be read, and whoever answers has to refuse it. */
export const UNKNOWN = -2;

/** @returns in bytes, or CHUNKED, or UNKNOWN */
export function bodyLengthOf(method: string, version: string, head: RequestHead): number {
  const { contentLength, transferEncoding } = head;
  // What follows a CONNECT is a tunnel's, and what follows another version is not known here.
  if (method === 'CONNECT' || (version !== '1.1' && version !== '1.0')) return UNKNOWN;
  if (transferEncoding !== null) {
    return transferEncoding === 'chunked' && contentLength === -1 && version === '1.1' ? CHUNKED : UNKNOWN;
  }
  if (contentLength === -1) return 0;
  return head.repeatsContentLength || !Number.isSafeInteger(contentLength) ? UNKNOWN : contentLength;
}

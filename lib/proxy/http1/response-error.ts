/** What an origin sent is not a response in HTTP/1.1, or is larger than a response may be. */
export class ResponseError extends Error {
  readonly code = 'ERR_RESPONSE_SYNTAX';
}

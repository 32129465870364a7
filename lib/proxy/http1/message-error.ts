/** What a peer sent is not a message in HTTP/1.1. */
export class MessageError extends Error {
  readonly code: string = 'ERR_MESSAGE_SYNTAX';
}

/** A part of the message is longer than it may be. */
export class MessageTooLong extends MessageError {
  override readonly code: string = 'ERR_MESSAGE_TOO_LONG';
}

import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { type MessageError, MessageTooLong } from './http1/message-error.ts';

/** What bytes are answered with that cannot be read as a request. */
export function unreadableError(error: MessageError): ErrorDefinition {
  return error instanceof MessageTooLong ? ERRORS.headersTooLarge : ERRORS.badRequest;
}

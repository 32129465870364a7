/** The head of a request as the listener's own parser reads it, without a connection. */
import { ERRORS } from '../core/errors.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import { type Expectation, expectationOf, isWebSocketUpgrade, Refusal } from './admission.ts';
import { MessageError } from './http1/message-error.ts';
import { type ReadHead, RequestParser } from './http1/request-parser.ts';
import { unreadableError } from './unreadable.ts';

export interface ParsedHead {
  readonly read: ReadHead;
  readonly expectation: Expectation;
  /** Whether it asks for a WebSocket, and may have one. */
  readonly isWebSocket: boolean;
}

/** Reads the head of one request. */
export function parseHead(bytes: Buffer, limits: ListenerLimits): ParsedHead | Refusal {
  let read: ReadHead | null = null;
  const sink = {
    onHead: (head: ReadHead) => {
      read = head;
    },
    onBody() {},
    onComplete() {},
  };
  try {
    new RequestParser(sink, limits.maxHeaderBytes).read(bytes, 0);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return new Refusal(unreadableError(error), error.message);
  }
  if (read === null) return new Refusal(ERRORS.badRequest, 'the head is not complete');
  return { read, expectation: expectationOf(read), isWebSocket: isWebSocketUpgrade(read) };
}

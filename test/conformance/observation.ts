/** What could be seen of one case: at the client, at the origin, and at the next request of somebody else. */
import type { HttpMessage } from '../helpers/http-message.ts';
import type { ConnectionEnd } from '../helpers/origin-connection.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import type { ReadRequest } from './lenient-reading.ts';

export interface ClientSide {
  /** Final responses in the order in which they came; the last one may be broken off. */
  readonly responses: readonly RawResponse[];
  /** Everything that came, interim responses included. */
  readonly bytes: Buffer;
  /** What came and is no HTTP response, by the strict rules; null where all is. */
  readonly problem: string | null;
  /** The gateway took the connection for one of HTTP/2, and what came was not read further. */
  readonly speaksHttp2: boolean;
  /** How the gateway ended the connection; null where it was still open when the time was up. */
  readonly end: ConnectionEnd | null;
  /** Whether a further request was sent on the connection once the case was answered. */
  readonly probed: boolean;
}

/** A request at the origin, by the strict rules. */
export interface StrictRequest {
  readonly message: HttpMessage;
  /** False where its body did not come whole. */
  readonly isComplete: boolean;
}

export interface OriginSide {
  /** Requests of the case and the probe's, by the strict rules; those of other clients are left out. */
  readonly requests: readonly StrictRequest[];
  /** What is malformed, by the strict rules; null where nothing is. */
  readonly problem: string | null;
  /** The same bytes in each of the lenient readings, all connections together. */
  readonly lenient: readonly (readonly ReadRequest[])[];
  /** Whether all lenient readings see the same requests, and the strict one too, where nothing is malformed. */
  readonly readingsAgree: boolean;
}

export interface Observation {
  readonly client: ClientSide;
  readonly origin: OriginSide;
  /** What another client got that came after: null where that was its own answer. */
  readonly nextClient: string | null;
}

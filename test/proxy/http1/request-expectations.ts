/** Shorthands of the tests of requests. */
import { type RecordedRequest, readRequests } from '../../helpers/request-recorder.ts';

export const HOST = 'Host: a\r\n';
export const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
/** The beginning of a request that may have a body. */
export const POST = `POST / HTTP/1.1\r\n${HOST}`;
export const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

/** What is wrong with it; empty where nothing is. */
export function problemOf(text: string): string {
  return readRequests([text]).problem;
}

/** The first request of what comes in one piece; undefined where there is none. */
export function firstOf(text: string): RecordedRequest | undefined {
  return readRequests([text]).requests[0];
}

/** Method, target, body and trailers of each request; trailers are null where it is not whole. */
export function summaryOf(pieces: readonly string[]): readonly (readonly unknown[])[] {
  return readRequests(pieces).requests.map(({ head, body, trailers }) => [
    head.method,
    head.target,
    body,
    trailers,
  ]);
}

/** Shorthands of the parser's tests. */
import { type ResponseReading, readResponse } from '../../helpers/response-recorder.ts';

export const OK = 'HTTP/1.1 200 OK\r\n';
export const EMPTY = 'Content-Length: 0\r\n\r\n';
export const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

/** Reads what comes in one piece over a connection that stays open. */
export function read(text: string, method = 'GET'): ResponseReading {
  return readResponse([text], { method });
}

/** What is wrong with it; empty where nothing is. */
export function problemOf(text: string): string {
  return read(text).problem;
}

/** Reads a response with these field lines, each with its CRLF, and no body. */
export function readFields(lines: string): readonly string[] | null {
  return read(`${OK}${lines}\r\n`, 'HEAD').head?.fields ?? null;
}

/** What stands around the fields of an answer's head. */
import { STATUS_CODES } from 'node:http';

/** @param reason as the origin wrote it, may be empty; null: the usual one */
export function statusLine(status: number, reason: string | null): string {
  return `HTTP/1.1 ${status} ${reason ?? STATUS_CODES[status] ?? 'unknown'}\r\n`;
}

let dateLine = '';
let dateSecond = -1;

/** The Date field (RFC 9110 §6.6.1), which changes once a second. */
export function currentDateLine(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1_000);
  if (second !== dateSecond) dateLine = `date: ${new Date(nowMs).toUTCString()}\r\n`;
  dateSecond = second;
  return dateLine;
}

/**
 * What becomes of the connection behind the answer (RFC 9112 §9.3).
 * @param keepAliveMs how long it is kept without a request; 0: for ever
 */
export function connectionLines(closes: boolean, keepAliveMs: number): string {
  if (closes) return 'connection: close\r\n';
  if (keepAliveMs === 0) return 'connection: keep-alive\r\n';
  return `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n`;
}

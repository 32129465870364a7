import { randomBytes } from 'node:crypto';
import { TICKET_KEYS } from '../core/config/material-names.ts';
import type { MaterialNews } from './materials/material-news.ts';

/** What Node takes: a name, a key for HMAC and one for AES, of 16 bytes each. */
const KEY_BYTES = 48;
/**
 * Whoever gets hold of a key can read the TLS 1.2 sessions that it sealed: half a day of them at most. Tickets
 * live five minutes, so few are lost to a change, and a lost one costs a full handshake, no connection.
 */
const ROTATION_INTERVAL_MS = 12 * 3_600_000;

/** Makes the keys of session tickets for all workers, so that any of them can resume what another began. */
export class TicketKeyRotation {
  readonly #send: (news: MaterialNews) => void;

  /** @param send to all workers, also those that start later */
  constructor(send: (news: MaterialNews) => void) {
    this.#send = send;
  }

  /** As long as the process lives. */
  start(): void {
    this.#rotate();
    setInterval(() => this.#rotate(), ROTATION_INTERVAL_MS).unref();
  }

  #rotate(): void {
    this.#send({ name: TICKET_KEYS, value: randomBytes(KEY_BYTES).toString('base64') });
  }
}

import { randomBytes } from 'node:crypto';
import type { RateExchange } from '../store/shared-state.ts';

const SECRET_BYTES = 32;
/** The store may have been out of reach, or emptied: so often it is asked again. */
const AGREE_INTERVAL_MS = 5_000;

/**
 * The secret by which keys of rate limits are hashed before they are told to others: by chance, until the store tells
 * the one of all instances. A store that has none is given this one, also where it had one and lost it.
 */
export class RateSecret {
  readonly #exchange: RateExchange | null;
  readonly #onChange: () => void;
  #value = randomBytes(SECRET_BYTES).toString('base64url');
  #timer: NodeJS.Timeout | null = null;
  #agreeing = false;

  /** @param exchange null where nothing is shared */
  constructor(exchange: RateExchange | null, onChange: () => void) {
    this.#exchange = exchange;
    this.#onChange = onChange;
  }

  get value(): string {
    return this.#value;
  }

  start(): void {
    if (this.#exchange === null) return;
    this.#timer = setInterval(() => void this.#agree(), AGREE_INTERVAL_MS);
    this.#timer.unref();
    void this.#agree();
  }

  async #agree(): Promise<void> {
    if (this.#exchange === null || this.#agreeing) return;
    this.#agreeing = true;
    try {
      const agreed = await this.#exchange.agreeOnSecret(this.#value);
      if (agreed !== this.#value) {
        this.#value = agreed;
        this.#onChange();
      }
    } catch {
      // The store says by itself what is wrong with it. Until then instances do not understand each other.
    }
    this.#agreeing = false;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

import { claimedIssuerOf } from './token-decoding.ts';
import type { TokenIssuer, TokenVerdict } from './token-issuer.ts';

/** The issuers of the configuration in use. Asked at each request, as they change without the route changing. */
export interface IssuerLookup {
  issuer(id: string): TokenIssuer | undefined;
}

interface Question {
  /** What the token claims that its issuer is. */
  readonly name: string;
  readonly token: string;
  readonly nowMs: number;
}

const NO_ISSUER: TokenVerdict = { kind: 'invalid', reason: 'it is of no issuer that may vouch for it' };

/** Of several verdicts that are all refusals, which says most to the client. */
const RANKS: Readonly<Record<TokenVerdict['kind'], number>> = {
  invalid: 0,
  // The keys that are missing might have made it valid.
  unavailable: 1,
  // It is genuine, and no key makes it younger.
  expired: 2,
  valid: 3,
};

/**
 * Judges tokens by several issuers, of which some may have one name and differ in keys or audience: those that
 * have the name which the token claims are asked in their order, and the first that finds it valid vouches for
 * it. What is remembered of former requests never changes who that is, only what it costs.
 */
export class IssuerChoice {
  readonly #ids: readonly string[];
  readonly #lookup: IssuerLookup;

  /** @param ids in the order in which they are asked */
  constructor(ids: readonly string[], lookup: IssuerLookup) {
    this.#ids = ids;
    this.#lookup = lookup;
  }

  /**
   * The verdict of the one that vouches for the token, or of those that do not the one that says most: expired,
   * then unavailable, then invalid. A promise only where keys are awaited, of at most four seconds. Never
   * throws or rejects.
   */
  judge(token: string, nowMs: number): TokenVerdict | Promise<TokenVerdict> {
    if (this.#ids.length === 1) return this.#issuerAt(0)?.verify(token, nowMs) ?? NO_ISSUER;
    const known = this.#recall(token, nowMs);
    if (known !== null) return known;
    const name = claimedIssuerOf(token);
    return name === null ? NO_ISSUER : this.#ask({ name, token, nowMs }, 0, NO_ISSUER);
  }

  /** Whether one of several issuers knows the token already costs 1 µs each; to see which it names, 9 µs. */
  #recall(token: string, nowMs: number): TokenVerdict | null {
    for (let index = 0; index < this.#ids.length; index += 1) {
      const issuer = this.#issuerAt(index);
      const verdict = issuer?.recall(token, nowMs) ?? null;
      if (issuer === undefined || verdict === null) continue;
      // One before it might vouch for the token too, and not have seen it yet.
      return verdict.kind === 'valid' && this.#isFirstOfName(index, issuer.issuer) ? verdict : null;
    }
    return null;
  }

  #isFirstOfName(index: number, name: string): boolean {
    for (let earlier = 0; earlier < index; earlier += 1) {
      if (this.#issuerAt(earlier)?.issuer === name) return false;
    }
    return true;
  }

  #issuerAt(index: number): TokenIssuer | undefined {
    return this.#lookup.issuer(this.#ids[index]!);
  }

  /** @param before the best of those before the `first` */
  #ask(question: Question, first: number, before: TokenVerdict): TokenVerdict | Promise<TokenVerdict> {
    let best = before;
    for (let index = first; index < this.#ids.length; index += 1) {
      const issuer = this.#issuerAt(index);
      if (issuer?.issuer !== question.name) continue;
      const verdict = issuer.verify(question.token, question.nowMs);
      if (verdict instanceof Promise) return this.#await(verdict, question, index + 1, best);
      if (verdict.kind === 'valid') return verdict;
      best = better(best, verdict);
    }
    return best;
  }

  /** Asks the others meanwhile: each may wait for its keys, and their times must not add up. */
  async #await(
    verdict: Promise<TokenVerdict>,
    question: Question,
    next: number,
    before: TokenVerdict,
  ): Promise<TokenVerdict> {
    const [awaited, other] = await Promise.all([verdict, this.#ask(question, next, before)]);
    return awaited.kind === 'valid' ? awaited : better(awaited, other);
  }
}

function better(one: TokenVerdict, other: TokenVerdict): TokenVerdict {
  return RANKS[other.kind] > RANKS[one.kind] ? other : one;
}

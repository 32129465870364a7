import { keyMaterialOf } from '../core/config/material-names.ts';
import type { Issuer } from '../core/config/model.ts';
import { readIssuerKeys } from './jwt-keys.ts';
import type { Material, Materials } from './materials.ts';
import { readSharedSecret } from './shared-secret.ts';
import { SignatureKey } from './signature-key.ts';
import type { TokenHeader } from './token-decoding.ts';
import { UnknownKeyIds } from './unknown-key-ids.ts';

/** How often newer keys are asked for at most. The primary looks less often still, but it can be asked for nothing. */
const ASK_INTERVAL_MS = 1_000;

/** What keys are made of: the text of a material, or the set that stands in the issuer itself. */
type KeySource = string | NonNullable<Issuer['jwks']>;

/**
 * The keys of an issuer, made at the first use and again when their material is another: keys that are no
 * longer in it verify nothing from then on. A material that cannot be used, such as half a file, changes
 * nothing; one that the primary has given up takes all keys with it.
 */
export class IssuerKeys {
  readonly #issuer: Issuer;
  readonly #materials: Materials;
  readonly #material: Material | null;
  readonly #takesSecret: boolean;
  readonly #onChange: () => void;
  readonly #unknownIds = new UnknownKeyIds();
  #keys: readonly SignatureKey[] | null = null;
  /** What was last read, be it with success or not: null where there was nothing, undefined before that. */
  #source: KeySource | null | undefined = undefined;
  #problem: string | null = null;
  #refreshing: Promise<boolean> | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** @param onChange hears that former keys are no longer valid, before the next look-up returns */
  constructor(issuer: Issuer, materials: Materials, onChange: () => void) {
    const name = keyMaterialOf(issuer);
    this.#issuer = issuer;
    this.#materials = materials;
    this.#material = name === null ? null : materials.get(name);
    this.#takesSecret = name !== null && issuer.jwksUrl === undefined && issuer.jwksFile === undefined;
    this.#onChange = onChange;
  }

  /** Why the keys, or their latest version, cannot be used; null where they can or nothing is known yet. */
  get problem(): string | null {
    this.follow();
    return this.#problem;
  }

  get areThere(): boolean {
    return this.#keys !== null;
  }

  /** Whether nobody has said yet what the keys are. */
  get areAwaited(): boolean {
    return this.#material !== null && this.#material.value === undefined && this.#keys === null;
  }

  /** Waits for the first word on the keys, for two seconds at most. */
  async awaitFirst(): Promise<void> {
    await this.#material?.next();
    this.follow();
  }

  /** Takes over what has become of the material; costs nothing where that is nothing. */
  follow(): void {
    const source = this.#material === null ? (this.#issuer.jwks ?? null) : this.#material.value;
    if (source === undefined) return;
    if (source !== this.#source) this.#read(source);
    // Equal texts are compared in no time only where they are one and the same.
    this.#source = source;
  }

  #read(source: KeySource | null): void {
    try {
      this.#keys = source === null ? null : this.#keysOf(source);
      this.#problem = source === null ? 'the keys could not be got' : null;
      this.#onChange();
    } catch (error) {
      this.#problem = `the keys cannot be used: ${(error as Error).message}`;
    }
  }

  #keysOf(source: KeySource): readonly SignatureKey[] {
    const { algorithms } = this.#issuer;
    if (this.#takesSecret) return [SignatureKey.ofSecret(readSharedSecret(source as string, algorithms))];
    return readIssuerKeys(source, algorithms).map((key) => SignatureKey.ofJwtKey(key));
  }

  /**
   * The one key that the header asks for: its algorithm must be one of the issuer's and of the key's, and its
   * `kid` is compared and nothing else. Where there is a choice left, none is. A secret is the only one an
   * issuer has, so that tokens may call it what they like.
   */
  find({ algorithm, keyId }: TokenHeader): SignatureKey | null {
    let found: SignatureKey | null = null;
    for (const key of this.#keys ?? []) {
      const isNamed = keyId === null || key.id === keyId || this.#takesSecret;
      if (!isNamed || !(key.algorithms as readonly string[]).includes(algorithm)) continue;
      if (found !== null) return null;
      found = key;
    }
    return found;
  }

  /** Whether newer keys could hold the one that the header asks for, and it is worth looking. */
  mayHaveNewer({ algorithm, keyId }: TokenHeader, nowMs: number): boolean {
    if (this.#keys === null || keyId === null || this.#issuer.jwksUrl === undefined) return false;
    if (!(this.#issuer.algorithms as readonly string[]).includes(algorithm)) return false;
    if (this.#knows(keyId) || this.#unknownIds.has(keyId, nowMs)) return false;
    // A clock that was set back makes nobody wait longer.
    return this.#refreshing !== null || Math.abs(nowMs - this.#askedAtMs) >= ASK_INTERVAL_MS;
  }

  /** Has the key server asked for newer keys, once for all who wait; two seconds at most. */
  async refresh({ keyId }: TokenHeader, nowMs: number): Promise<void> {
    if (this.#material === null) return;
    const isFirst = this.#refreshing === null;
    if (isFirst) this.#askedAtMs = nowMs;
    this.#refreshing ??= this.#materials.refresh(this.#material).finally(() => {
      this.#refreshing = null;
    });
    const hasLooked = await this.#refreshing;
    this.follow();
    // For who came later the look may have been too early.
    if (isFirst && hasLooked && keyId !== null && !this.#knows(keyId)) this.#unknownIds.add(keyId, nowMs);
  }

  #knows(keyId: string): boolean {
    return this.#keys?.some(({ id }) => id === keyId) ?? false;
  }
}

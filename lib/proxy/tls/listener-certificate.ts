import type { SecureContext } from 'node:tls';
import type { Materials } from '../../auth/materials.ts';
import { materialName, materialsOf, TICKET_KEYS } from '../../core/config/material-names.ts';
import type { Certificate, ClientCertificate } from '../../core/config/model.ts';
import type { PemPair } from '../../net/pem.ts';
import { Authorities } from './authorities.ts';
import { createListenerContext } from './listener-context.ts';

/** What a handshake is made with. */
export interface CompiledCertificate {
  readonly context: SecureContext;
  /** Null where no client certificate is asked for. */
  readonly authorities: Authorities | null;
}

/** The texts that a certificate was compiled from, or tried to be. */
interface Texts {
  readonly cert: string | null | undefined;
  readonly key: string | null | undefined;
  readonly ca: string | null | undefined;
  readonly ticketKeys: string | null | undefined;
}

/**
 * One certificate of the listener: compiled when a connection first needs it, and again when one of its files
 * has changed. What cannot be used leaves the last good one in force.
 */
export class ListenerCertificate {
  readonly id: string;
  /** Null where none is asked for. */
  readonly clientCertificate: ClientCertificate | null;
  /** In lower case. */
  readonly headerNames: readonly string[];
  readonly #certificate: Certificate;
  readonly #materials: Materials;
  readonly #certName: string | null;
  readonly #keyName: string | null;
  readonly #caName: string | null;
  #tried: Texts | null = null;
  #compiled: CompiledCertificate | null = null;
  #goodPair: PemPair | null;
  #authorities: Authorities | null = null;
  #caRead: string | null = null;
  #problem: string | null = null;

  /** @param previous the entry that this one takes the place of: its pair serves until there is a newer one */
  constructor(
    id: string,
    certificate: Certificate,
    materials: Materials,
    previous: ListenerCertificate | null,
  ) {
    const { certFile, certEnv, keyFile, keyEnv, clientCertificate = null } = certificate;
    this.id = id;
    this.clientCertificate = clientCertificate;
    this.headerNames = Object.keys(clientCertificate?.headers ?? {}).map((name) => name.toLowerCase());
    this.#certificate = certificate;
    this.#materials = materials;
    this.#certName = materialName(certFile, certEnv);
    this.#keyName = materialName(keyFile, keyEnv);
    this.#caName = materialName(clientCertificate?.caFile, clientCertificate?.caEnv);
    this.#goodPair = previous === null ? null : previous.#goodPair;
    if (previous !== null && previous.#caName === this.#caName) {
      this.#authorities = previous.#authorities;
      this.#caRead = previous.#caRead;
    }
  }

  /** Resolves when the primary has said something of all that it needs; bounded, as that may never be. */
  async settled(): Promise<void> {
    for (const name of materialsOf('certificate', this.#certificate)) {
      const material = this.#materials.get(name);
      if (material.value === undefined) await material.next();
    }
  }

  /** Whether the primary has not yet said something of all that it needs. */
  get isSettling(): boolean {
    return [this.#certName, this.#keyName, this.#caName].some(
      (name) => name !== null && this.#materials.get(name).value === undefined,
    );
  }

  /** What to make a handshake with now; null where there has never been anything that could be used. */
  compile(): CompiledCertificate | null {
    const cert = this.#textOf(this.#certName);
    const key = this.#textOf(this.#keyName);
    const ca = this.#textOf(this.#caName);
    const ticketKeys = this.#textOf(TICKET_KEYS);
    const tried = this.#tried;
    const isTried =
      tried?.cert === cert && tried?.key === key && tried?.ca === ca && tried?.ticketKeys === ticketKeys;
    if (isTried) return this.#compiled;
    this.#tried = { cert, key, ca, ticketKeys };
    this.#compiled = this.#compileAnew(this.#tried);
    return this.#compiled;
  }

  /** Whether what was verified with these authorities still is: none of them has been taken away since. */
  stillTrusts(authorities: Authorities): boolean {
    this.#readAuthorities(this.#textOf(this.#caName));
    return this.#authorities?.include(authorities) ?? false;
  }

  /** What is wrong with its files, once for each problem; null where nothing is, or it has been told. */
  takeProblem(): string | null {
    const problem = this.#problem;
    this.#problem = null;
    return problem;
  }

  #textOf(name: string | null): string | null | undefined {
    return name === null ? null : this.#materials.get(name).value;
  }

  #compileAnew({ cert, key, ca, ticketKeys }: Texts): CompiledCertificate | null {
    this.#problem = null;
    this.#readAuthorities(ca);
    // Nobody could be verified: better no handshake than one that asks for nothing.
    if (this.clientCertificate !== null && this.#authorities === null) {
      this.#problem ??= `there is no usable ${this.#caName}`;
      return null;
    }
    if (typeof cert === 'string' && typeof key === 'string') {
      const compiled = this.#tryPair({ cert, key }, ticketKeys);
      if (compiled !== null) return compiled;
    } else {
      this.#problem ??= `there is no usable ${typeof cert === 'string' ? this.#keyName : this.#certName}`;
    }
    return this.#goodPair === null ? null : this.#tryPair(this.#goodPair, ticketKeys);
  }

  #tryPair(pair: PemPair, ticketKeys: Texts['ticketKeys']): CompiledCertificate | null {
    try {
      const compiled = this.#create(pair, ticketKeys);
      this.#goodPair = pair;
      return compiled;
    } catch (error) {
      this.#problem ??= `${this.#certName} with ${this.#keyName} cannot be used: ${(error as Error).message}`;
      return null;
    }
  }

  #create(pair: PemPair, ticketKeys: Texts['ticketKeys']): CompiledCertificate {
    const { minVersion = 'TLSv1.2' } = this.#certificate;
    const authorities = this.#authorities;
    return {
      context: createListenerContext({
        id: this.id,
        pair,
        minVersion,
        authorities,
        ticketKeys: ticketKeys ?? null,
      }),
      authorities,
    };
  }

  /** Authorities that cannot be read leave those before in force, as with pairs. */
  #readAuthorities(ca: string | null | undefined): void {
    if (typeof ca !== 'string' || ca === this.#caRead) return;
    this.#caRead = ca;
    try {
      this.#authorities = new Authorities(ca);
    } catch (error) {
      this.#problem ??= `${this.#caName} cannot be used: ${(error as Error).message}`;
    }
  }
}

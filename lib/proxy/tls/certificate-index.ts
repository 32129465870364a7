import type { Materials } from '../../auth/materials.ts';
import type { Certificate } from '../../core/config/model.ts';
import { ListenerCertificate } from './listener-certificate.ts';

/** The entry for connections and hosts that no other entry is for. */
const DEFAULT_ID = 'default';

/** The certificates of one table, by the host names that they are for. */
export class CertificateIndex {
  readonly #materials: Materials;
  readonly #certificates = new Map<string, ListenerCertificate>();
  readonly #headerNames = new Set<string>();
  /** How many entries fill a header. */
  readonly #headerUses = new Map<string, number>();
  #askingCount = 0;

  constructor(materials: Materials) {
    this.#materials = materials;
  }

  /** Names of all headers that are made from client certificates, in lower case: no client may send them. */
  get headerNames(): ReadonlySet<string> {
    return this.#headerNames;
  }

  /** Whether any entry asks for client certificates. */
  get asksForClientCertificates(): boolean {
    return this.#askingCount > 0;
  }

  put(id: string, certificate: Certificate): void {
    const previous = this.#certificates.get(id) ?? null;
    this.delete(id);
    this.#add(new ListenerCertificate(id, certificate, this.#materials, previous));
  }

  delete(id: string): void {
    const certificate = this.#certificates.get(id);
    if (certificate === undefined) return;
    this.#certificates.delete(id);
    if (certificate.clientCertificate === null) return;
    this.#askingCount -= 1;
    for (const name of certificate.headerNames) this.#forgetHeader(name);
  }

  /** Takes over all that another index holds, into this empty one; what is compiled is shared. */
  *copy(other: CertificateIndex): Generator<undefined, void> {
    for (const certificate of other.#certificates.values()) {
      this.#add(certificate);
      yield;
    }
  }

  /**
   * The entry for a name in lower case: the name itself, else the wildcard for its first label (RFC 9525 §6.3),
   * else `default`. A connection without a server name gives '', which only `default` is for.
   */
  find(serverName: string): ListenerCertificate | null {
    return this.#findOwn(serverName) ?? this.#certificates.get(DEFAULT_ID) ?? null;
  }

  /**
   * The entries whose demands a request for a host has to meet. Of a host without an entry of its own these are,
   * besides `default`, the wildcards for all domains around it: the hosts of a route take a wildcard for any
   * depth, so what is demanded of `a.example.com` must not be got around by asking for `b.a.example.com`.
   */
  governing(host: string): readonly ListenerCertificate[] {
    const own = this.#findOwn(host);
    if (own !== undefined) return [own];
    const found: ListenerCertificate[] = [];
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1))
      pushIfThere(found, this.#certificates.get(`*${host.slice(dot)}`));
    pushIfThere(found, this.#certificates.get(DEFAULT_ID));
    return found;
  }

  #findOwn(name: string): ListenerCertificate | undefined {
    const exact = this.#certificates.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#certificates.get(`*${name.slice(dot)}`) : undefined;
  }

  #add(certificate: ListenerCertificate): void {
    this.#certificates.set(certificate.id, certificate);
    if (certificate.clientCertificate === null) return;
    this.#askingCount += 1;
    for (const name of certificate.headerNames) {
      this.#headerNames.add(name);
      this.#headerUses.set(name, (this.#headerUses.get(name) ?? 0) + 1);
    }
  }

  #forgetHeader(name: string): void {
    const uses = (this.#headerUses.get(name) ?? 0) - 1;
    if (uses > 0) {
      this.#headerUses.set(name, uses);
      return;
    }
    this.#headerUses.delete(name);
    this.#headerNames.delete(name);
  }
}

function pushIfThere(list: ListenerCertificate[], certificate: ListenerCertificate | undefined): void {
  if (certificate !== undefined) list.push(certificate);
}

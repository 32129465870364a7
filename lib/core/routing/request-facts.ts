/** What the choice of a route is made on. */
export interface RequestFacts {
  /** Lower-case, without port and trailing dot; an IPv6 address in brackets, as RFC 5952 writes it. */
  readonly host: string;
  /** Canonical, with its leading slash and without the query. */
  readonly path: string;
  /** As received, without '?'; the empty string where there is none. */
  readonly query: string;
  readonly method: string;
  /** Name, value, name, value …, as node:http gives them. */
  readonly rawHeaders: readonly string[];
}

import type { Kind, Route } from './model.ts';

/** The kinds of entries that a route may name. */
export type NamedKind = Exclude<Kind, 'route' | 'certificate'>;
export const NAMED_KINDS = ['cluster', 'issuer', 'consumer'] as const satisfies readonly NamedKind[];

/** Another entry that a route names, and must be there. */
export interface RouteReference {
  readonly kind: NamedKind;
  readonly id: string;
  /** JSON Pointer within the route. */
  readonly pointer: string;
}

export function referencesOf({ cluster, auth }: Route): RouteReference[] {
  const references: RouteReference[] = [{ kind: 'cluster', id: cluster, pointer: '/cluster' }];
  addReferences('issuer', auth?.issuers, '/auth/issuers', references);
  addReferences('consumer', auth?.consumers, '/auth/consumers', references);
  return references;
}

function addReferences(
  kind: NamedKind,
  ids: readonly string[] | undefined,
  pointer: string,
  references: RouteReference[],
): void {
  for (const [index, id] of (ids ?? []).entries()) {
    references.push({ kind, id, pointer: `${pointer}/${index}` });
  }
}

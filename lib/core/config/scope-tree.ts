/** Routes by the shape of their path and by host: those that take more are found without a search of all. */
import type { TemplateSegment } from '../routing/path-template.ts';
import type { RouteScope } from './route-scope.ts';
import { ScopeNode, type ScopePlace } from './scope-node.ts';
import { CoveredWalk, CoveringWalk } from './scope-walks.ts';
import { SearchEffort } from './search-effort.ts';

/** Bounds what one route with many parameters above its path can cost. */
const MAX_VISITED_NODES = 512;

export class ScopeTree {
  readonly #root = new ScopeNode();

  add(scope: RouteScope): void {
    let node = this.#root;
    node.countIn(scope.order);
    for (const segment of fixedPartOf(scope.segments)) {
      node = node.openChildFor(segment);
      node.countIn(scope.order);
    }
    node.addRoute(scope, endsInRest(scope.segments));
  }

  /** Takes a route out that was added, and the nodes that stood there for it alone. */
  remove(scope: RouteScope): void {
    removeBelow(this.#root, scope, fixedPartOf(scope.segments), 0);
  }

  /** The place of templates with this shape, null where there is none; names of parameters do not count. */
  placeOf(segments: readonly TemplateSegment[]): ScopePlace | null {
    let node: ScopeNode | null = this.#root;
    for (const segment of fixedPartOf(segments)) {
      node = node.childFor(segment);
      if (node === null) {
        return null;
      }
    }
    return endsInRest(segments) ? node.rest : node.end;
  }

  /** The places of shapes that match every path that `segments` match, its own among them. */
  listCoveringPlaces(segments: readonly TemplateSegment[]): readonly ScopePlace[] {
    const walk = new CoveringWalk(segments, new SearchEffort(MAX_VISITED_NODES));
    walk.visit(this.#root, 0);
    return walk.places;
  }

  /**
   * The places of shapes of which `segments` match every path, as far as the effort goes, without looking
   * where all orders are `order` or lower.
   */
  coveredPlaces(
    segments: readonly TemplateSegment[],
    order: number,
    effort: SearchEffort,
  ): Iterable<ScopePlace> {
    return new CoveredWalk(segments, order, effort).visit(this.#root, 0);
  }
}

/** The segments before the rest, where there is one. */
function fixedPartOf(segments: readonly TemplateSegment[]): readonly TemplateSegment[] {
  return endsInRest(segments) ? segments.slice(0, -1) : segments;
}

function endsInRest(segments: readonly TemplateSegment[]): boolean {
  return segments.at(-1)?.kind === 'rest';
}

function removeBelow(
  node: ScopeNode,
  scope: RouteScope,
  fixedPart: readonly TemplateSegment[],
  index: number,
): void {
  node.countOut(scope.order);
  const segment = fixedPart[index];
  if (segment === undefined) {
    node.removeRoute(scope, endsInRest(scope.segments));
    return;
  }
  const child = node.childFor(segment);
  if (child !== null) {
    removeBelow(child, scope, fixedPart, index + 1);
    if (child.isEmpty) {
      node.removeChildFor(segment);
    }
  }
}

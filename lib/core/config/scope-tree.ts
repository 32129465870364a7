/** Routes by the shape of their path and by host, so that those that take more are found without a search of all. */
import type { TemplateSegment } from '../routing/path-template.ts';
import { isTwin, type RouteScope } from './route-scope.ts';

/** Bounds what one route with many parameters above its path can cost. */
const MAX_VISITED_NODES = 512;
/** Beyond these, only routes that ask nothing or ask the same are compared. */
const MAX_COMPARED = 32;

/** The routes of one path shape and one host. They must be added from the best rank to the worst. */
export class ScopeGroup {
  readonly #first: RouteScope[] = [];
  /** By the key of their conditions, the best and the worst ranked; null while `#first` holds all. */
  #best: Map<string, RouteScope> | null = null;
  #latest: Map<string, RouteScope> | null = null;

  /** Adds a route. Returns one that was there and that only its id tells from this one, or null. */
  add(scope: RouteScope): RouteScope | null {
    if (this.#first.length < MAX_COMPARED) {
      const twin = this.#first.find((other) => isTwin(other, scope)) ?? null;
      this.#first.push(scope);
      return twin;
    }
    this.#best ??= new Map(this.#first.toReversed().map((first) => [first.conditions.key, first]));
    this.#latest ??= new Map(this.#first.map((first) => [first.conditions.key, first]));
    const { key } = scope.conditions;
    const latest = this.#latest.get(key);
    this.#latest.set(key, scope);
    if (!this.#best.has(key)) {
      this.#best.set(key, scope);
    }
    return latest !== undefined && isTwin(latest, scope) ? latest : null;
  }

  /** The first route that `accept` accepts, among those worth asking about a route with these conditions. */
  find(conditionsKey: string, accept: (candidate: RouteScope) => boolean): RouteScope | null {
    const found = this.#first.find(accept);
    if (found !== undefined) {
      return found;
    }
    for (const key of ['', conditionsKey]) {
      const best = this.#best?.get(key);
      if (best !== undefined && accept(best)) {
        return best;
      }
    }
    return null;
  }
}

/** The groups of one path shape, by host key. */
export type ScopePlace = Map<string, ScopeGroup>;

class ScopeNode {
  literals: Map<string, ScopeNode> | null = null;
  parameter: ScopeNode | null = null;
  /** Templates that end here, and templates that go on with a rest. */
  end: ScopePlace | null = null;
  rest: ScopePlace | null = null;
}

export class ScopeTree {
  readonly #root = new ScopeNode();

  /** The place of templates with this shape; names of parameters do not count. Made where it is not there. */
  placeOf(segments: readonly TemplateSegment[]): ScopePlace {
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === 'rest') {
        node.rest ??= new Map();
        return node.rest;
      }
      node = childOf(node, segment);
    }
    node.end ??= new Map();
    return node.end;
  }

  /** The places of shapes that match every path that `segments` match, its own among them. */
  listCoveringPlaces(segments: readonly TemplateSegment[]): readonly ScopePlace[] {
    const walk = new CoveringWalk(segments);
    walk.visit(this.#root, 0);
    return walk.places;
  }
}

function childOf(node: ScopeNode, segment: TemplateSegment): ScopeNode {
  if (segment.kind !== 'literal') {
    node.parameter ??= new ScopeNode();
    return node.parameter;
  }
  node.literals ??= new Map();
  let child = node.literals.get(segment.text);
  if (child === undefined) {
    child = new ScopeNode();
    node.literals.set(segment.text, child);
  }
  return child;
}

class CoveringWalk {
  readonly places: ScopePlace[] = [];
  readonly #segments: readonly TemplateSegment[];
  #remainingNodes = MAX_VISITED_NODES;

  constructor(segments: readonly TemplateSegment[]) {
    this.#segments = segments;
  }

  visit(node: ScopeNode, index: number): void {
    if (this.#remainingNodes === 0) {
      return;
    }
    this.#remainingNodes -= 1;
    this.#addPlace(node.rest);
    const segment = this.#segments[index];
    if (segment === undefined) {
      this.#addPlace(node.end);
    } else if (segment.kind !== 'rest') {
      this.#visitChildren(node, segment, index + 1);
    }
  }

  #visitChildren(node: ScopeNode, segment: TemplateSegment, next: number): void {
    const literal = segment.kind === 'literal' ? node.literals?.get(segment.text) : undefined;
    if (literal !== undefined) {
      this.visit(literal, next);
    }
    // A parameter takes one character or more, so not the empty segment after a trailing slash.
    const isEmpty = segment.kind === 'literal' && segment.text === '';
    if (node.parameter !== null && !isEmpty) {
      this.visit(node.parameter, next);
    }
  }

  #addPlace(place: ScopePlace | null): void {
    if (place !== null) {
      this.places.push(place);
    }
  }
}

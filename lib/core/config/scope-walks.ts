/** Two ways through a tree of scopes: to the paths that take all that one takes, and to those it takes. */
import type { TemplateSegment } from '../routing/path-template.ts';
import type { ScopeNode, ScopePlace } from './scope-node.ts';
import type { SearchEffort } from './search-effort.ts';

/** Gathers the places of shapes that match every path that `segments` match. */
export class CoveringWalk {
  readonly places: ScopePlace[] = [];
  readonly #segments: readonly TemplateSegment[];
  readonly #effort: SearchEffort;

  constructor(segments: readonly TemplateSegment[], effort: SearchEffort) {
    this.#segments = segments;
    this.#effort = effort;
  }

  visit(node: ScopeNode, index: number): void {
    if (!this.#effort.spend()) {
      return;
    }
    addPlace(this.places, node.rest);
    const segment = this.#segments[index];
    if (segment === undefined) {
      addPlace(this.places, node.end);
    } else if (segment.kind !== 'rest') {
      this.#visitChildren(node, segment, index + 1);
    }
  }

  #visitChildren(node: ScopeNode, segment: TemplateSegment, next: number): void {
    const literal = segment.kind === 'literal' ? node.literals?.get(segment.text) : undefined;
    if (literal !== undefined) {
      this.visit(literal, next);
    }
    if (node.parameter !== null && (segment.kind !== 'literal' || isTakenByParameter(segment.text))) {
      this.visit(node.parameter, next);
    }
  }
}

/** Visits the places of shapes of which `segments` match every path, where an order is above `order`. */
export class CoveredWalk {
  readonly #segments: readonly TemplateSegment[];
  readonly #order: number;
  readonly #effort: SearchEffort;

  constructor(segments: readonly TemplateSegment[], order: number, effort: SearchEffort) {
    this.#segments = segments;
    this.#order = order;
    this.#effort = effort;
  }

  *visit(node: ScopeNode, index: number): Generator<ScopePlace, void> {
    if (!this.#effort.spend() || node.highestOrder <= this.#order) {
      return;
    }
    const segment = this.#segments[index];
    if ((segment === undefined || segment.kind === 'rest') && node.end !== null) {
      yield node.end;
    }
    if (segment?.kind === 'rest' && node.rest !== null) {
      yield node.rest;
    }
    if (segment !== undefined) {
      yield* this.#visitChildren(node, segment, index);
    }
  }

  *#visitChildren(node: ScopeNode, segment: TemplateSegment, index: number): Generator<ScopePlace, void> {
    if (segment.kind === 'literal') {
      const child = node.childFor(segment);
      if (child !== null) {
        yield* this.visit(child, index + 1);
      }
      return;
    }
    const isRest = segment.kind === 'rest';
    const next = isRest ? index : index + 1;
    if (node.parameter !== null) {
      yield* this.visit(node.parameter, next);
    }
    for (const [literal, child] of node.literals ?? []) {
      if (this.#effort.isSpent) {
        return;
      }
      if (isRest || isTakenByParameter(literal)) {
        yield* this.visit(child, next);
      }
    }
  }
}

/** A parameter takes one character or more, so not the empty segment after a trailing slash. */
function isTakenByParameter(literal: string): boolean {
  return literal !== '';
}

function addPlace(places: ScopePlace[], place: ScopePlace | null): void {
  if (place !== null) {
    places.push(place);
  }
}

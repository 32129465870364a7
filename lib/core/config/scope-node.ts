import { OrderTally } from '../routing/order-tally.ts';
import type { TemplateSegment } from '../routing/path-template.ts';
import type { RouteScope } from './route-scope.ts';
import { ScopeGroup } from './scope-group.ts';

/** The groups of one path shape, by host key. */
export type ScopePlace = Map<string, ScopeGroup>;

/** What the templates with the same first segments share: the way on, and the routes that end here. */
export class ScopeNode {
  literals: Map<string, ScopeNode> | null = null;
  parameter: ScopeNode | null = null;
  /** Templates that end here, and templates that go on with a rest. */
  end: ScopePlace | null = null;
  rest: ScopePlace | null = null;
  /** The orders of the routes here and below, with the sign changed: what a tally knows is its lowest. */
  readonly #negatedOrders = new OrderTally();

  get isEmpty(): boolean {
    return this.#negatedOrders.orderCount === 0;
  }

  get highestOrder(): number {
    return -this.#negatedOrders.minimumOrder;
  }

  countIn(order: number): void {
    this.#negatedOrders.addOrder(-order);
  }

  countOut(order: number): void {
    this.#negatedOrders.removeOrder(-order);
  }

  childFor(segment: TemplateSegment): ScopeNode | null {
    return segment.kind === 'literal' ? (this.literals?.get(segment.text) ?? null) : this.parameter;
  }

  openChildFor(segment: TemplateSegment): ScopeNode {
    const child = this.childFor(segment);
    if (child !== null) {
      return child;
    }
    const opened = new ScopeNode();
    if (segment.kind === 'literal') {
      this.literals ??= new Map();
      this.literals.set(segment.text, opened);
    } else {
      this.parameter = opened;
    }
    return opened;
  }

  removeChildFor(segment: TemplateSegment): void {
    if (segment.kind !== 'literal') {
      this.parameter = null;
      return;
    }
    this.literals?.delete(segment.text);
    if (this.literals?.size === 0) {
      this.literals = null;
    }
  }

  /** Adds a route that ends here, under each of its hosts. */
  addRoute(scope: RouteScope, isRest: boolean): void {
    const place = isRest ? (this.rest ?? new Map()) : (this.end ?? new Map());
    for (const host of scope.hosts) {
      let group = place.get(host);
      if (group === undefined) {
        group = new ScopeGroup();
        place.set(host, group);
      }
      group.add(scope);
    }
    this.#setPlace(place, isRest);
  }

  removeRoute(scope: RouteScope, isRest: boolean): void {
    const place = isRest ? this.rest : this.end;
    if (place === null) {
      return;
    }
    for (const host of scope.hosts) {
      const group = place.get(host);
      group?.remove(scope);
      if (group?.isEmpty === true) {
        place.delete(host);
      }
    }
    this.#setPlace(place.size === 0 ? null : place, isRest);
  }

  #setPlace(place: ScopePlace | null, isRest: boolean): void {
    if (isRest) {
      this.rest = place;
    } else {
      this.end = place;
    }
  }
}

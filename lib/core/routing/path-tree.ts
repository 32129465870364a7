/** The routes of one host as a tree of path segments. */
import { OrderTally } from './order-tally.ts';
import type { RouteCandidates } from './route-candidates.ts';
import { insertEntry, type RouteEntry, removeEntry } from './route-entry.ts';
import type { RouteSearch } from './route-search.ts';
import {
  countSegments,
  findSegmentEnd,
  findSegmentStart,
  isParameter,
  isRest,
  matchTemplateFrom,
} from './template-match.ts';

/**
 * What stands at one place of the tree, a place being the segments that lead to it: a single route, or a
 * node with several. Its shape follows from the routes below it alone, not from how they came and went.
 */
export interface PathBranch<T> {
  /** The lowest order of all routes at and below the place: what a search prunes by. */
  readonly minimumOrder: number;
  /** Adds a route whose template goes on here at `start`. Returns what stands here now. */
  insert(start: number, entry: RouteEntry<T>): PathBranch<T>;
  /** Removes a route that was inserted with the same start. Returns what is left here. */
  remove(start: number, entry: RouteEntry<T>): PathBranch<T> | null;
  /** Offers the routes that match the path of the request from `start` on, from the most specific one. */
  search(search: RouteSearch<T>, start: number): void;
  /** Offers the same routes as `search`, one after the other, to whoever asks about all of them. */
  collect(candidates: RouteCandidates<T>, start: number): void;
  /** Any route at or below the place. */
  findEntry(): RouteEntry<T> | null;
  countNodes(): number;
}

/** A place with a single route is not taken apart into nodes: less memory, and far fewer cache misses. */
export class LoneRoute<T> implements PathBranch<T> {
  readonly minimumOrder: number;
  readonly #entry: RouteEntry<T>;
  /** The entry's; held here as well so that the comparison need not wait for the entry to be loaded. */
  readonly #template: string;
  /** Where the template goes on. */
  readonly #templateStart: number;

  constructor(start: number, entry: RouteEntry<T>) {
    this.minimumOrder = entry.order;
    this.#entry = entry;
    this.#template = entry.template;
    this.#templateStart = start;
  }

  insert(start: number, entry: RouteEntry<T>): PathBranch<T> {
    return new PathNode<T>().insert(this.#templateStart, this.#entry).insert(start, entry);
  }

  remove(): null {
    return null;
  }

  search(search: RouteSearch<T>, start: number): void {
    if (matchTemplateFrom(this.#template, this.#templateStart, search.facts.path, start)) {
      search.offer(this.#entry);
    }
  }

  collect(candidates: RouteCandidates<T>, start: number): void {
    if (matchTemplateFrom(this.#template, this.#templateStart, candidates.path, start)) {
      candidates.offer(this.#entry);
    }
  }

  findEntry(): RouteEntry<T> {
    return this.#entry;
  }

  countNodes(): number {
    return 1;
  }
}

/**
 * A place with several routes. Everything that a node may lack is null, because most have one thing.
 *
 * A search visits a node at most once, and goes on from a node only into the child of the literal and the
 * child of the parameter. So with n segments it visits at most 2^n nodes and never more than the tree
 * has: routes, not requests, decide about the cost. Once a route is found, only branches with a lower
 * order are still visited. Templates bound the depth by MAXIMUM_PATH_SEGMENTS, and the recursion with it.
 */
class PathNode<T> extends OrderTally implements PathBranch<T> {
  /** A single literal child is held without a map, which saves memory and a look-up. */
  #onlyText: string | null = null;
  #onlyChild: PathBranch<T> | null = null;
  /** Literal children by their text where there are several. */
  #children: Map<string, PathBranch<T>> | null = null;
  #parameterChild: PathBranch<T> | null = null;
  /** Routes whose template ends here. */
  #entries: RouteEntry<T>[] | null = null;
  /** Routes whose template goes on with a rest. */
  #restEntries: RouteEntry<T>[] | null = null;

  insert(start: number, entry: RouteEntry<T>): this {
    this.addOrder(entry.order);
    const { template } = entry;
    if (start > template.length) {
      this.#entries = insertEntry(this.#entries, entry);
    } else if (isRest(template, start)) {
      this.#restEntries = insertEntry(this.#restEntries, entry);
    } else {
      const end = findSegmentEnd(template, start);
      const literal = literalOf(template, start, end);
      const child = this.#findChild(literal);
      this.#setChild(literal, child?.insert(end + 1, entry) ?? new LoneRoute(end + 1, entry));
    }
    return this;
  }

  remove(start: number, entry: RouteEntry<T>): PathBranch<T> | null {
    this.removeOrder(entry.order);
    const { template } = entry;
    if (start > template.length) {
      this.#entries = removeEntry(this.#entries, entry);
    } else if (isRest(template, start)) {
      this.#restEntries = removeEntry(this.#restEntries, entry);
    } else {
      this.#removeBelow(start, entry);
    }
    const lone = this.orderCount === 1 ? this.findEntry() : null;
    if (lone === null) {
      return this;
    }
    // The names of parameters may be of other lengths, so it goes on in another column.
    return new LoneRoute(findSegmentStart(lone.template, countSegments(template, start)), lone);
  }

  search(search: RouteSearch<T>, start: number): void {
    const { path } = search.facts;
    if (start > path.length) {
      search.offerRanked(this.#entries);
      search.offerRanked(this.#restEntries);
      return;
    }
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const literalChild = this.#findLiteral(path, start, end);
    if (literalChild !== null && literalChild.minimumOrder < search.orderToBeat) {
      literalChild.search(search, end + 1);
    }
    const parameterChild = end > start ? this.#parameterChild : null;
    if (parameterChild !== null && parameterChild.minimumOrder < search.orderToBeat) {
      parameterChild.search(search, end + 1);
    }
    search.offerRanked(this.#restEntries);
  }

  /** The walk of `search`, written a second time: one walk for two classes would make every match slower. */
  collect(candidates: RouteCandidates<T>, start: number): void {
    const { path } = candidates;
    if (start > path.length) {
      candidates.offerRanked(this.#entries);
      candidates.offerRanked(this.#restEntries);
      return;
    }
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const children = [this.#findLiteral(path, start, end), end > start ? this.#parameterChild : null];
    for (const child of children) {
      if (child !== null && candidates.hasRoomFor(child.minimumOrder)) {
        child.collect(candidates, end + 1);
      }
    }
    candidates.offerRanked(this.#restEntries);
  }

  findEntry(): RouteEntry<T> | null {
    const own = this.#entries?.[0] ?? this.#restEntries?.[0];
    const child = this.#onlyChild ?? this.#parameterChild;
    return own ?? child?.findEntry() ?? null;
  }

  countNodes(): number {
    let count = 1 + (this.#onlyChild?.countNodes() ?? 0) + (this.#parameterChild?.countNodes() ?? 0);
    for (const child of this.#children?.values() ?? []) {
      count += child.countNodes();
    }
    return count;
  }

  #findLiteral(path: string, start: number, end: number): PathBranch<T> | null {
    if (this.#onlyText !== null) {
      const isSame = this.#onlyText.length === end - start && path.startsWith(this.#onlyText, start);
      return isSame ? this.#onlyChild : null;
    }
    return this.#children === null ? null : (this.#children.get(path.slice(start, end)) ?? null);
  }

  /** The child of a literal; null stands for the parameter. */
  #findChild(literal: string | null): PathBranch<T> | null {
    return literal === null ? this.#parameterChild : this.#findLiteral(literal, 0, literal.length);
  }

  #setChild(literal: string | null, child: PathBranch<T>): void {
    if (literal === null) {
      this.#parameterChild = child;
    } else if (this.#children !== null) {
      this.#children.set(literal, child);
    } else if (this.#onlyText === null || this.#onlyChild === null || this.#onlyText === literal) {
      this.#onlyText = literal;
      this.#onlyChild = child;
    } else {
      this.#children = new Map([[this.#onlyText, this.#onlyChild]]).set(literal, child);
      this.#onlyText = null;
      this.#onlyChild = null;
    }
  }

  #removeBelow(start: number, entry: RouteEntry<T>): void {
    const end = findSegmentEnd(entry.template, start);
    const literal = literalOf(entry.template, start, end);
    const left = this.#findChild(literal)?.remove(end + 1, entry) ?? null;
    if (left === null) {
      this.#dropChild(literal);
    } else {
      this.#setChild(literal, left);
    }
  }

  #dropChild(literal: string | null): void {
    if (literal === null) {
      this.#parameterChild = null;
    } else if (this.#children === null) {
      this.#onlyText = null;
      this.#onlyChild = null;
    } else {
      this.#children.delete(literal);
      this.#collapseChildren(this.#children);
    }
  }

  /** Gives up the map where a single child is left. */
  #collapseChildren(children: Map<string, PathBranch<T>>): void {
    if (children.size > 1) {
      return;
    }
    for (const [text, child] of children) {
      this.#onlyText = text;
      this.#onlyChild = child;
    }
    this.#children = null;
  }
}

/** The text of a segment of a template; null where it is a parameter. */
function literalOf(template: string, start: number, end: number): string | null {
  return isParameter(template, start) ? null : template.slice(start, end);
}

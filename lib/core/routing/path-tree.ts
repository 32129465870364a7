/** The routes of one host as a tree of path segments. */
import { OrderTally } from './order-tally.ts';
import type { TemplateSegment } from './path-template.ts';
import type { RouteCandidates } from './route-candidates.ts';
import { insertEntry, type RouteEntry, removeEntry } from './route-entry.ts';
import type { RouteSearch } from './route-search.ts';
import { findSegmentStart, matchTemplateFrom } from './template-match.ts';

/**
 * What stands at one place of the tree, a place being the segments that lead to it: a single route, or a
 * node with several. Its shape follows from the routes below it alone, not from how they came and went.
 */
export interface PathBranch<T> {
  /** The lowest order of all routes at and below the place: what a search prunes by. */
  readonly minimumOrder: number;
  /** Adds a route whose template goes on here with the segment `index`. Returns what stands here now. */
  insert(index: number, entry: RouteEntry<T>): PathBranch<T>;
  /** Removes a route that was inserted with the same index. Returns what is left here. */
  remove(index: number, entry: RouteEntry<T>): PathBranch<T> | null;
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

  constructor(index: number, entry: RouteEntry<T>) {
    this.minimumOrder = entry.order;
    this.#entry = entry;
    this.#template = entry.template;
    this.#templateStart = findSegmentStart(entry.template, index);
  }

  insert(index: number, entry: RouteEntry<T>): PathBranch<T> {
    return new PathNode<T>().insert(index, this.#entry).insert(index, entry);
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

  insert(index: number, entry: RouteEntry<T>): this {
    this.addOrder(entry.order);
    const segment = entry.segments[index];
    if (segment === undefined) {
      this.#entries = insertEntry(this.#entries, entry);
    } else if (segment.kind === 'rest') {
      this.#restEntries = insertEntry(this.#restEntries, entry);
    } else {
      const child = this.#findChild(segment);
      this.#setChild(segment, child?.insert(index + 1, entry) ?? new LoneRoute(index + 1, entry));
    }
    return this;
  }

  remove(index: number, entry: RouteEntry<T>): PathBranch<T> | null {
    this.removeOrder(entry.order);
    const segment = entry.segments[index];
    if (segment === undefined) {
      this.#entries = removeEntry(this.#entries, entry);
    } else if (segment.kind === 'rest') {
      this.#restEntries = removeEntry(this.#restEntries, entry);
    } else {
      this.#removeBelow(segment, index, entry);
    }
    const lone = this.orderCount === 1 ? this.findEntry() : null;
    return lone === null ? this : new LoneRoute(index, lone);
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

  #findChild(segment: TemplateSegment): PathBranch<T> | null {
    return segment.kind === 'literal'
      ? this.#findLiteral(segment.text, 0, segment.text.length)
      : this.#parameterChild;
  }

  #setChild(segment: TemplateSegment, child: PathBranch<T>): void {
    if (segment.kind !== 'literal') {
      this.#parameterChild = child;
    } else if (this.#children !== null) {
      this.#children.set(segment.text, child);
    } else if (this.#onlyText === null || this.#onlyChild === null || this.#onlyText === segment.text) {
      this.#onlyText = segment.text;
      this.#onlyChild = child;
    } else {
      this.#children = new Map([[this.#onlyText, this.#onlyChild]]).set(segment.text, child);
      this.#onlyText = null;
      this.#onlyChild = null;
    }
  }

  #removeBelow(segment: TemplateSegment, index: number, entry: RouteEntry<T>): void {
    const left = this.#findChild(segment)?.remove(index + 1, entry) ?? null;
    if (left === null) {
      this.#dropChild(segment);
    } else {
      this.#setChild(segment, left);
    }
  }

  #dropChild(segment: TemplateSegment): void {
    if (segment.kind !== 'literal') {
      this.#parameterChild = null;
    } else if (this.#children === null) {
      this.#onlyText = null;
      this.#onlyChild = null;
    } else {
      this.#children.delete(segment.text);
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

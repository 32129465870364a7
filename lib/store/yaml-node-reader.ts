import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { MAX_NESTING } from './document-limits.ts';
import { setOwnProperty } from './own-property.ts';

/**
 * How much aliases may add to a document in all: values, and the characters of strings. Whoever writes
 * the document out again (IPC, the last good file) writes what an alias stands for each time. The
 * library's own count of aliases would refuse one anchor that a thousand routes share.
 */
const MAX_ALIASED_WEIGHT = 10_000_000;

interface Anchored {
  readonly value: unknown;
  readonly weight: number;
  /** Levels of collections within the value. */
  readonly height: number;
}

/**
 * Turns the nodes of one YAML document into plain objects and arrays. Refuses what a JSON document could
 * not hold: duplicate keys, values that contain themselves, numbers that are not finite. What aliases
 * refer to is shared between the places, not copied.
 */
export class YamlNodeReader {
  readonly #report: (message: string, offset: number) => void;
  /** An anchor stands for the latest node that bears it; null while that node is still being read. */
  readonly #anchors = new Map<string, Anchored | null>();
  #weight = 0;
  #aliasedWeight = 0;
  #depth = 0;
  #deepest = 0;

  constructor(report: (message: string, offset: number) => void) {
    this.#report = report;
  }

  read(node: ParsedNode | null): unknown {
    this.#weight += 1;
    if (node === null) return null;
    if (isAlias(node)) return this.#readAlias(node);
    if (node.anchor === undefined) return this.#readValue(node);
    return this.#readAnchored(node, node.anchor);
  }

  #readAnchored(node: Exclude<ParsedNode, Alias>, anchor: string): unknown {
    this.#anchors.set(anchor, null);
    const weightBefore = this.#weight;
    const deepestBefore = this.#deepest;
    this.#deepest = this.#depth;
    const value = this.#readValue(node);
    const weight = this.#weight - weightBefore + 1;
    this.#anchors.set(anchor, { value, weight, height: this.#deepest - this.#depth });
    this.#deepest = Math.max(this.#deepest, deepestBefore);
    return value;
  }

  #readAlias(node: Alias.Parsed): unknown {
    const anchored = this.#anchors.get(node.source);
    if (anchored === undefined || anchored === null) {
      const fault = anchored === null ? 'is used within the value that it names' : 'has no anchor before it';
      this.#report(`the alias *${node.source} ${fault}`, node.range[0]);
      return null;
    }
    if (this.#aliasedWeight + anchored.weight > MAX_ALIASED_WEIGHT) {
      this.#report('aliases make the document too large', node.range[0]);
      return null;
    }
    this.#weight += anchored.weight;
    this.#aliasedWeight += anchored.weight;
    this.#reach(this.#depth + anchored.height, node.range[0]);
    return anchored.value;
  }

  #readValue(node: Exclude<ParsedNode, Alias>): unknown {
    if (isScalar(node)) return this.#readScalar(node.value, node.range[0]);
    this.#depth += 1;
    this.#reach(this.#depth, node.range[0]);
    const value = isMap(node) ? this.#readMap(node) : this.#readSequence(node as YAMLSeq.Parsed);
    this.#depth -= 1;
    return value;
  }

  #readScalar(value: unknown, offset: number): unknown {
    if (typeof value === 'string') this.#weight += value.length;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.#report('a number that is not finite', offset);
    }
    return value;
  }

  #readMap(map: YAMLMap.Parsed): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const { key, value } of map.items) {
      const name = String(this.read(key));
      if (Object.hasOwn(result, name)) {
        this.#report(`the key ${JSON.stringify(name)} is there again`, key.range[0]);
      }
      setOwnProperty(result, name, this.read(value));
    }
    return result;
  }

  #readSequence(sequence: YAMLSeq.Parsed): unknown[] {
    const result: unknown[] = [];
    for (const item of sequence.items) {
      if (isScalar(item) || isAlias(item) || isMap(item) || isSeq(item)) result.push(this.read(item));
    }
    return result;
  }

  #reach(depth: number, offset: number): void {
    if (depth > MAX_NESTING && this.#deepest <= MAX_NESTING) {
      this.#report(`nested deeper than ${MAX_NESTING} levels`, offset);
    }
    this.#deepest = Math.max(this.#deepest, depth);
  }
}

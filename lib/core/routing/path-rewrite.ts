/** Rewriting of the path between the client and the upstream, as a route asks for it. */
import type { Rewrite } from '../config/model.ts';
import {
  bindParameters,
  type PathPattern,
  type PathTemplate,
  parsePathPattern,
  renderPathPattern,
} from './path-template.ts';

/**
 * Prepares the rewrite of a route that has been validated; `template` is that of its path, null where it
 * has none. Returns null where the rewrite leaves every path as it is.
 * @throws Error where the pattern does not parse.
 */
export function compileRewrite(
  rewrite: Rewrite | undefined,
  template: PathTemplate | null,
): PathRewriter | null {
  if (rewrite?.set !== undefined) {
    return new PathSetter(rewrite.set);
  }
  if (rewrite?.pattern !== undefined) {
    return compilePattern(rewrite.pattern, template);
  }
  const removed = withoutTrailingSlash(rewrite?.removePrefix ?? '');
  const added = withoutTrailingSlash(rewrite?.addPrefix ?? '');
  return removed === '' && added === '' ? null : new PrefixRewriter(removed, added);
}

function compilePattern(text: string, template: PathTemplate | null): PathRewriter {
  const { pattern, problem } = parsePathPattern(text);
  if (pattern === null) {
    throw new Error(problem);
  }
  // Without a template there is nothing to bind: the pattern gives the same path each time.
  return template === null
    ? new PathSetter(renderPathPattern(pattern, new Map()))
    : new PatternRewriter(pattern, template);
}

function withoutTrailingSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}

/** Gives the path to send upstream, always with a leading slash, for a canonical path that the route matched. */
export abstract class PathRewriter {
  /** Takes and returns a path without a query. */
  abstract rewrite(path: string): string;
}

class PathSetter extends PathRewriter {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override rewrite(_path: string): string {
    return this.#path;
  }
}

class PatternRewriter extends PathRewriter {
  readonly #pattern: PathPattern;
  readonly #template: PathTemplate;

  constructor(pattern: PathPattern, template: PathTemplate) {
    super();
    this.#pattern = pattern;
    this.#template = template;
  }

  override rewrite(path: string): string {
    return renderPathPattern(this.#pattern, bindParameters(this.#template, path));
  }
}

const SLASH = 0x2f;

/** Removes one prefix of whole segments, then adds another; both are without a trailing slash. */
class PrefixRewriter extends PathRewriter {
  readonly #removed: string;
  readonly #added: string;

  constructor(removed: string, added: string) {
    super();
    this.#removed = removed;
    this.#added = added;
  }

  override rewrite(path: string): string {
    const rewritten = this.#added + (this.#hasRemovedPrefix(path) ? path.slice(this.#removed.length) : path);
    return rewritten === '' ? '/' : rewritten;
  }

  #hasRemovedPrefix(path: string): boolean {
    const end = this.#removed.length;
    return path.startsWith(this.#removed) && (path.length === end || path.charCodeAt(end) === SLASH);
  }
}

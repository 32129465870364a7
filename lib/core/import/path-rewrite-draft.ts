import type { Rewrite } from '../config/model.ts';

interface Prefixes {
  readonly kind: 'prefix';
  readonly removed: string;
  readonly added: string;
}
type State = Prefixes | { readonly kind: 'set' | 'pattern'; readonly path: string };

/**
 * Makes one rewrite of a sequence of path transforms, each of which works on what the one before has left.
 * The paths are as `importLiteralPath` and `importPattern` return them.
 */
export class PathRewriteDraft {
  #state: State = { kind: 'prefix', removed: '', added: '' };

  set(path: string): void {
    this.#state = { kind: 'set', path };
  }

  setPattern(path: string): void {
    this.#state = { kind: 'pattern', path };
  }

  addPrefix(prefix: string): void {
    const state = this.#state;
    if (state.kind === 'prefix') this.#state = { ...state, added: join(prefix, state.added) };
    else this.#state = { ...state, path: join(prefix, state.path) };
  }

  /** Returns false where it cannot be said as one rewrite; the draft is then as before. */
  removePrefix(prefix: string): boolean {
    const state = this.#state;
    if (state.kind === 'prefix') return this.#removeFromPrefixes(state, prefix);
    if (state.kind === 'pattern') return false;
    this.#state = { kind: 'set', path: withoutPrefix(state.path, prefix) ?? state.path };
    return true;
  }

  /** Nothing where the path stays as it is. */
  toRewrite(): Rewrite | undefined {
    const state = this.#state;
    if (state.kind !== 'prefix') return state.kind === 'set' ? { set: state.path } : { pattern: state.path };
    const rewrite = {
      ...(state.removed !== '' && { removePrefix: state.removed }),
      ...(state.added !== '' && { addPrefix: state.added }),
    };
    return Object.keys(rewrite).length === 0 ? undefined : rewrite;
  }

  /** What was added last is removed first; a second removal would depend on whether the first one found its prefix. */
  #removeFromPrefixes(state: Prefixes, prefix: string): boolean {
    if (state.added === '') {
      if (state.removed === '') this.#state = { ...state, removed: prefix };
      return state.removed === '';
    }
    const rest = withoutPrefix(state.added, prefix);
    if (rest !== null) this.#state = { ...state, added: rest === '/' ? '' : rest };
    return rest !== null;
  }
}

function join(prefix: string, path: string): string {
  return prefix.endsWith('/') && path.startsWith('/') ? prefix + path.slice(1) : prefix + path;
}

/** The path without its first segments, compared as ASP.NET Core does, in any letter case; null where it has others. */
function withoutPrefix(path: string, prefix: string): string | null {
  const start = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (path.slice(0, start.length).toLowerCase() !== start.toLowerCase()) return null;
  const rest = path.slice(start.length);
  if (rest === '') return '/';
  return rest.startsWith('/') ? rest : null;
}

import { checkHeaderTransform, type MessageSide } from '../config/header-rules.ts';
import type { HeaderTransform } from '../config/model.ts';
import { FIELD_VALUE_PATTERN, TOKEN_PATTERN } from '../config/patterns.ts';
import { isForbiddenKey } from '../config/plain-data.ts';
import { ProblemList } from '../config/problem-list.ts';
import { matchesPattern } from '../config/schema-node.ts';

type Action =
  | { readonly name: string; readonly kind: 'set' | 'append'; readonly value: string }
  | { readonly name: string; readonly kind: 'remove' };

const MAX_NAME_LENGTH = 256;
const MAX_VALUE_LENGTH = 8_192;

/**
 * Makes one header transform of a sequence of them: what several do to the same header becomes one action.
 * The methods return what is wrong with an action, which is then not taken; null where it is fine.
 */
export class HeaderTransformDraft {
  readonly #side: MessageSide;
  /** By the name in lower case. */
  readonly #actions = new Map<string, Action>();

  constructor(side: MessageSide) {
    this.#side = side;
  }

  set(name: string, value: string): string | null {
    return this.#take({ name, kind: 'set', value });
  }

  /** A second value goes behind the first, with a comma, which means the same (RFC 9110 §5.3). */
  append(name: string, value: string): string | null {
    const before = this.#actions.get(name.toLowerCase());
    if (before === undefined) return this.#take({ name, kind: 'append', value });
    if (before.kind === 'remove') return this.#take({ name, kind: 'set', value });
    if (name.toLowerCase() === 'set-cookie') return 'a route adds one Set-Cookie only';
    return this.#take({ ...before, value: `${before.value}, ${value}` });
  }

  remove(name: string): string | null {
    return this.#take({ name, kind: 'remove' });
  }

  /** Nothing where no header changes. */
  toTransform(): HeaderTransform | undefined {
    const actions = [...this.#actions.values()];
    return actions.length === 0 ? undefined : transformOf(actions);
  }

  #take(action: Action): string | null {
    const problem = findProblem(action, this.#side);
    if (problem === null) this.#actions.set(action.name.toLowerCase(), action);
    return problem;
  }
}

function transformOf(actions: readonly Action[]): HeaderTransform {
  const [set, append] = (['set', 'append'] as const).map((kind) =>
    actions.flatMap((action) => (action.kind === kind ? [[action.name, action.value] as const] : [])),
  );
  const remove = actions.flatMap(({ kind, name }) => (kind === 'remove' ? [name] : []));
  return {
    ...(set !== undefined && set.length > 0 && { set: Object.fromEntries(set) }),
    ...(append !== undefined && append.length > 0 && { append: Object.fromEntries(append) }),
    ...(remove.length > 0 && { remove }),
  };
}

function findProblem(action: Action, side: MessageSide): string | null {
  const { name } = action;
  if (!matchesPattern(TOKEN_PATTERN, name) || name.length > MAX_NAME_LENGTH || isForbiddenKey(name)) {
    return 'it has no usable header name';
  }
  if (action.kind !== 'remove' && !isFieldValue(action.value)) {
    return 'its value has characters that a header cannot hold, or is too long';
  }
  const problems = new ProblemList();
  checkHeaderTransform('', side, transformOf([action]), problems);
  return problems.toArray()[0]?.message ?? null;
}

function isFieldValue(value: string): boolean {
  return matchesPattern(FIELD_VALUE_PATTERN, value) && value.length <= MAX_VALUE_LENGTH;
}

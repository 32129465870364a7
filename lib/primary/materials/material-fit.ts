/**
 * Which new contents may take the place of the former ones. A certificate and its key come from two places, and
 * one may be there long before the other; or a file holds something else altogether. What fits together must not
 * give way to what does not: workers that start later know only what they are told then.
 */
import type { MaterialGroup } from '../../core/config/material-names.ts';
import { checkPair, splitCertificates } from '../../net/pem.ts';

/** Undefined where nothing is known yet, null where there is none. */
type Value = string | null | undefined;

/** What there is of a material: what the workers have, and what its source says now. */
export interface Offer {
  readonly former: Value;
  readonly offered: Value;
}

/** Why a new content is not taken. */
export interface Misfit {
  readonly problem: string;
  /** Whether the former one, which fits, stays; otherwise there is nothing of use. */
  readonly staysFormer: boolean;
}

/**
 * Takes groups as `MaterialGroups.around` gives them. What stays as it was may no longer fit what is new elsewhere,
 * so that is gone through until nothing more has to stay.
 * @returns what does not fit, by name; a group of which something is missing has no say
 */
export function findMisfits(
  groups: readonly MaterialGroup[],
  offerOf: (name: string) => Offer,
): ReadonlyMap<string, Misfit> {
  const misfits = new Map<string, Misfit>();
  const formerOf = (name: string): Value => offerOf(name).former;
  const chosenOf = (name: string): Value => (misfits.has(name) ? formerOf(name) : offerOf(name).offered);
  const fitting = new Set<string>();
  let useless: [group: MaterialGroup, problem: string][] = [];
  for (let sizeBefore = -1; misfits.size > sizeBefore; ) {
    sizeBefore = misfits.size;
    fitting.clear();
    useless = [];
    for (const group of groups) {
      const problem = problemOf(group, chosenOf);
      if (problem === null) for (const name of group.names) fitting.add(name);
      else if (problem !== undefined && problemOf(group, formerOf) !== null) useless.push([group, problem]);
      else if (problem !== undefined)
        for (const name of group.names) note(misfits, group, name, problem, true);
    }
  }
  for (const [group, problem] of useless) {
    // A certificate that fits one key is of use, though another entry names it with the key of another.
    for (const name of group.names) if (!fitting.has(name)) note(misfits, group, name, problem, false);
  }
  return misfits;
}

function note(
  misfits: Map<string, Misfit>,
  { names }: MaterialGroup,
  name: string,
  problem: string,
  staysFormer: boolean,
): void {
  if (misfits.has(name)) return;
  const others = names.filter((other) => other !== name);
  const use = others.length === 0 ? 'cannot be used' : `cannot be used with ${others.join(' and ')}`;
  misfits.set(name, { problem: `${use}: ${problem}`, staysFormer });
}

/** Null where all is well, undefined where something is missing. */
function problemOf(
  { kind, names }: MaterialGroup,
  chosenOf: (name: string) => Value,
): string | null | undefined {
  const values = names.map(chosenOf);
  if (!values.every((value) => typeof value === 'string')) return undefined;
  const [first = '', second = ''] = values;
  try {
    if (kind === 'pair') checkPair({ cert: first, key: second });
    else splitCertificates(first);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

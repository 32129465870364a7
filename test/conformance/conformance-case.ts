/** What a case of the suite is. Cases are data: files of them are in `cases/`, the list of files in `families.ts`. */
import type { Requirement } from './requirements.ts';

/**
 * What the client does next: sends these bytes (Latin-1), waits until something more has reached the origin,
 * waits until it was sent something, or ends its side of the connection. The waits have a limit, as some
 * gateways hold a request back until it is whole.
 */
export type ClientStep = string | { readonly until: 'arrived' | 'answered' } | 'end';

/** What the origin does with the request of the case: writes these bytes, or ends the connection. */
export type OriginStep = string | { readonly ends: 'close' | 'reset' };

export interface ConformanceCase {
  /** Unique in the whole suite, and never reused for another case. */
  readonly id: string;
  readonly title: string;
  /** The section or advisory that the case is about. */
  readonly source: string;
  /** Where one string would do; the waits and ends make it a list. */
  readonly sends: string | readonly ClientStep[];
  /** A plain answer 200 unless given. */
  readonly answers?: readonly OriginStep[];
  /** The origin answers as soon as it has the head, not only once it has all of the request. */
  readonly answersAtHead?: boolean;
  /** The case passes where any one of these holds and nothing of what `judge.ts` calls unsafe happened. */
  readonly expects: readonly Requirement[];
  /** How long the gateway may take to answer or to close; ten seconds unless given. */
  readonly limitMs?: number;
  /** Does nothing but wait: such cases run side by side, on a gateway of their own. */
  readonly isPatient?: boolean;
}

export interface CaseFamily {
  /** As a heading, such as "Framing of requests". */
  readonly title: string;
  readonly cases: readonly ConformanceCase[];
}

/** The steps of a case, also where it was written as one string. */
export function stepsOf({ sends }: ConformanceCase): readonly ClientStep[] {
  return typeof sends === 'string' ? [sends] : sends;
}

/** A case without anything special, as one row of a table. */
export type CaseRow = readonly [
  id: string,
  title: string,
  source: string,
  sends: ConformanceCase['sends'],
  expects: readonly Requirement[],
];

export function casesOf(rows: readonly CaseRow[]): ConformanceCase[] {
  return rows.map(([id, title, source, sends, expects]) => ({ id, title, source, sends, expects }));
}

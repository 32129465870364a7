import type { Problem } from '../core/config/problem.ts';

/** What reading a configuration document gave. */
export interface ParsedDocument {
  /** Undefined where there are problems: half a document is not a configuration. */
  readonly document: unknown;
  readonly problems: readonly Problem[];
}

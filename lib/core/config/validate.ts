/** Validation of a configuration document in one go. */
import { loadDocument } from './load-document.ts';
import type { Configuration } from './model.ts';
import type { Problem } from './problem.ts';
import { finishSlices } from './slices.ts';

export interface ValidationResult {
  /** Null where there is a problem. Its values are those of the document, not copies. */
  readonly configuration: Configuration | null;
  /** What must be mended, all of it, up to 1,000 entries and a last one with the number of the others. */
  readonly problems: readonly Problem[];
  /** What works but is hardly meant; bounded in the same way. */
  readonly warnings: readonly Problem[];
}

/**
 * Checks a document that was parsed from JSON or YAML, conflicts between its routes included. Never
 * throws, whatever it is given. See `loadDocument`, which does the same in slices.
 */
export function validateDocument(document: unknown): ValidationResult {
  const { table, problems, warnings } = finishSlices(loadDocument(document));
  return { configuration: table?.configuration ?? null, problems, warnings };
}

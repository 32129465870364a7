/** Bounds on the text of a configuration document, so that no file can exhaust the process that reads it. */
const MEBIBYTE = 1_048_576;

/**
 * The YAML parser keeps a tree of tokens and a tree of nodes beside the text, about a hundred times its
 * size; JSON is read straight into values. Hence two limits.
 */
export const MAX_YAML_BYTES = 16 * MEBIBYTE;
/** Ordinary YAML has a token every three characters; this bounds text that is little else than brackets. */
export const MAX_YAML_TOKENS = 6_000_000;
export const MAX_JSON_BYTES = 64 * MEBIBYTE;

/** A configuration is some ten levels deep. Deeper text could overflow the stack of whoever walks it. */
export const MAX_NESTING = 100;

/** A broken file can have a fault on every line; nobody reads more than this. */
export const MAX_PROBLEMS = 100;

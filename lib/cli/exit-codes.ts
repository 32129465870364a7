/** What a command ends with, for scripts. */
export const EXIT = {
  ok: 0,
  /** Bad input, a refused configuration, a gateway that cannot be reached or that failed. */
  failed: 1,
  /** `diff` and `--dry-run`: there are differences. `import`: not everything could be carried over. */
  different: 2,
  /** The configuration is not at the expected revision. */
  conflict: 3,
  /** The change is written, but not every worker has confirmed it in time. */
  unconfirmed: 4,
  /** The token is missing, not valid, or of a role that may not do this. */
  unauthorized: 5,
} as const;

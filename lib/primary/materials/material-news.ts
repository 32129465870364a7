/** What is said of a material on its way to the workers. */
export interface MaterialNews {
  readonly name: string;
  /** Null where it could not be got; undefined where nobody needs it any more. */
  readonly value: string | null | undefined;
}

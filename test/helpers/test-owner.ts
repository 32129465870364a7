/** A tap test, as far as helpers need it: what they open is released when the test is over. */
export interface TestOwner {
  teardown(release: () => unknown): void;
}

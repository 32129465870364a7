import type { TestOwner } from '../../test/helpers/test-owner.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What a benchmark opens is released at its end, the last first, also where it fails. */
export class Scope implements TestOwner {
  readonly #releases: (() => unknown)[] = [];

  teardown(release: () => unknown): void {
    this.#releases.push(release);
  }

  async close(): Promise<void> {
    for (const release of this.#releases.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        console.error(`could not be released: ${(error as Error).message}`);
      }
    }
  }
}

/** Runs something with a scope of its own. */
export async function withScope<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope();
  const end = (status: number): void => void scope.close().finally(() => process.exit(status));
  const interrupt = (): void => end(130);
  const fail = (error: Error): void => {
    console.error(error);
    end(1);
  };
  for (const signal of SIGNALS) process.once(signal, interrupt);
  process.once('uncaughtException', fail);
  try {
    return await work(scope);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    process.off('uncaughtException', fail);
    await scope.close();
  }
}

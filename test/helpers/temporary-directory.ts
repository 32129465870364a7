import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestOwner } from './test-owner.ts';

/** Makes an empty directory of its own, which goes with the test. Returns its path. */
export async function createTemporaryDirectory(owner: TestOwner): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-test-'));
  owner.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

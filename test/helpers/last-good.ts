/** The last good configuration in a state directory, looked at from outside. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export function lastGoodFileOf({ stateDirectory }: { readonly stateDirectory: string }): string {
  return join(stateDirectory, 'last-good.json');
}

/** The revision in the file. @throws Error where there is none */
export async function savedRevisionOf(gateway: { readonly stateDirectory: string }): Promise<number> {
  const text = await readFile(lastGoodFileOf(gateway), 'utf8');
  return Number(/"head":\{[^}]*"revision":(\d+)/.exec(text)?.[1]);
}

/** Waits until the gateway has saved that revision. */
export async function waitUntilSaved(
  gateway: { readonly stateDirectory: string },
  revision: number,
): Promise<void> {
  await eventually(async () => assert.equal(await savedRevisionOf(gateway), revision));
}

import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * A stream of text that is made in slices: between two of them the event loop turns, and none is made
 * before the client has taken those before it.
 */
export function streamSlices(slices: Iterable<string>): Readable {
  return Readable.from(pace(slices), { objectMode: false });
}

async function* pace(slices: Iterable<string>): AsyncGenerator<string> {
  for (const slice of slices) {
    if (slice !== '') yield slice;
    await nextTurn();
  }
}

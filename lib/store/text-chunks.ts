import { Breather } from './breather.ts';

/** Well below a millisecond of work, and few enough writes. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Joins the pieces of a text into chunks to be written one after the other. The pieces are made when they
 * are asked for, in slices: also those that are empty may have cost something.
 */
export async function* chunksOf(pieces: Iterable<string>): AsyncGenerator<Buffer> {
  const breather = new Breather();
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = '';
    }
    if (breather.isDue) await breather.breathe();
  }
  if (text !== '') yield Buffer.from(text);
}

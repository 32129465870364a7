import { Breather } from '../breather.ts';

/** A text up to this length is parsed within a few milliseconds. */
const PIECE_CHARACTERS = 131_072;
const STRUCTURE = /["[\]{},]/g;

/**
 * Parses the JSON text of a list as `JSON.parse` does, but a long one in pieces between which the event
 * loop turns.
 * @throws SyntaxError where it is not the JSON text of a list
 */
export async function parseList(text: string): Promise<unknown[]> {
  if (text.length <= PIECE_CHARACTERS) return listOf(JSON.parse(text));
  const breather = new Breather();
  const result: unknown[] = [];
  for (const elements of parsePieces(text)) {
    for (const element of elements) result.push(element);
    if (breather.isDue) await breather.breathe();
  }
  return result;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new SyntaxError('it is not a list');
  return value;
}

/**
 * The elements of the list, piece by piece. A list of objects is cut where an object seems to end and another to
 * begin. If that is within an element, the piece before it is no list of elements; then each mark is looked at.
 */
function* parsePieces(text: string): Generator<unknown[]> {
  let start = text.search(/\S/) + 1;
  if (text[start - 1] !== '[') throw new SyntaxError('it does not begin as a list');
  for (;;) {
    const end = text.indexOf('},{', start + PIECE_CHARACTERS) + 1;
    const elements = end === 0 ? null : parseElements(text.slice(start, end));
    if (elements === null) break;
    yield elements;
    start = end + 1;
  }
  for (const piece of cutList(text, start)) yield listOf(JSON.parse(`[${piece}]`));
}

/** Null where the text is not one of whole elements. */
function parseElements(text: string): unknown[] | null {
  try {
    return listOf(JSON.parse(`[${text}]`));
  } catch {
    return null;
  }
}

/** Cuts the text from `start` to the bracket that ends the list into pieces, at commas between elements. */
function* cutList(text: string, start: number): Generator<string> {
  let pieceStart = start;
  for (const [at, character] of topLevelMarks(text, start)) {
    const isEnd = character === ']';
    if (!isEnd && at - pieceStart < PIECE_CHARACTERS) continue;
    const piece = text.slice(pieceStart, at);
    if (piece.trim() === '' && !(isEnd && pieceStart === start))
      throw new SyntaxError('an element is missing');
    yield piece;
    pieceStart = at + 1;
    if (isEnd) {
      if (text.slice(pieceStart).trim() !== '') throw new SyntaxError('something follows the list');
      return;
    }
  }
  throw new SyntaxError('the list has no end');
}

/** The commas between elements, and the bracket that ends the list. */
function* topLevelMarks(text: string, start: number): Generator<[number, string]> {
  let depth = 0;
  STRUCTURE.lastIndex = start;
  for (let match = STRUCTURE.exec(text); match !== null; match = STRUCTURE.exec(text)) {
    const [character] = match;
    const { lastIndex } = STRUCTURE;
    if (character === '"') STRUCTURE.lastIndex = endOfString(text, lastIndex);
    else if (character === '{' || character === '[') depth += 1;
    else if (depth === 0) {
      if (character === '}') throw new SyntaxError('a brace is closed that was not opened');
      yield [match.index, character];
      STRUCTURE.lastIndex = lastIndex;
    } else if (character !== ',') depth -= 1;
  }
}

/** Behind the quote that ends a string: one with no backslash before it, or an even number of them. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  throw new SyntaxError('a string has no end');
}

/** Whose memory is read into, and when it is used again. */
import t from 'tap';
import { ReadMemory } from '../../../lib/proxy/http1/read-memory.ts';

/** More than a connection has to get at once to be given memory of its own. */
const MUCH = 60_000;

/** As a connection reads: `text` fills the buffer that was given for it. */
function readInto(memory: ReadMemory, buffer: Buffer, text: string) {
  const piece = buffer.subarray(0, MUCH).fill(text);
  return { piece, lender: memory.lenderOf(MUCH) };
}

t.test('small messages of all connections are read into the same memory', (t) => {
  const [one, other] = [new ReadMemory(), new ReadMemory()];
  t.equal(one.next(false), other.next(false));
  one.lenderOf(100);
  t.equal(one.next(true), other.next(false), 'a body that comes in small pieces, too');
  t.end();
});

t.test('what is held of it outlives the next read, also of another connection', (t) => {
  const [one, other] = [new ReadMemory(), new ReadMemory()];
  const { piece, lender } = readInto(one, one.next(false), 'a');
  const held = lender.hold(piece);
  readInto(other, other.next(false), 'b');
  t.equal(held.toString(), 'a'.repeat(MUCH));
  lender.release(held);
  t.end();
});

t.test('in the midst of a large body a connection reads into memory of its own, again and again', (t) => {
  const [one, other] = [new ReadMemory(), new ReadMemory()];
  readInto(one, one.next(false), 'a');
  const own = one.next(true);
  t.not(own, one.next(false));
  readInto(one, one.next(false), 'a');
  readInto(other, other.next(false), 'a');
  const [mine, others] = [one.next(true), other.next(true)];
  t.not(mine, others);
  const { piece, lender } = readInto(one, mine, 'b');
  const held = lender.hold(piece);
  t.equal(held, piece, 'without a copy');
  lender.release(held);
  t.equal(one.next(true), mine);
  t.end();
});

t.test('what is held of its own memory is never read into again', (t) => {
  const memory = new ReadMemory();
  readInto(memory, memory.next(false), 'a');
  const own = memory.next(true);
  const { piece, lender } = readInto(memory, own, 'b');
  const [first, second] = [lender.hold(piece.subarray(0, 10)), lender.hold(piece.subarray(10))];
  lender.release(second);
  const next = memory.next(true);
  t.not(next, own);
  // Neither by this connection nor, when the body is over, by another.
  readInto(memory, next, 'c');
  memory.next(false);
  for (let count = 0; count < 40; count += 1) {
    const other = new ReadMemory();
    readInto(other, other.next(false), 'd');
    readInto(other, other.next(true), 'e');
  }
  t.equal(first.toString(), 'b'.repeat(10));
  t.end();
});

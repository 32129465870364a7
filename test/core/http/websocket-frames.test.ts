import fc from 'fast-check';
import t from 'tap';
import {
  GOING_AWAY_FRAME,
  MASKED_GOING_AWAY_FRAME,
  WebSocketFrameTracker,
} from '../../../lib/core/http/websocket-frames.ts';

interface Frame {
  readonly payloadBytes: number;
  readonly isMasked: boolean;
}

/** A frame as RFC 6455 §5.2 draws it; its payload is 0xff, which no head would survive being read as. */
function encode({ payloadBytes, isMasked }: Frame): Buffer {
  const mask = isMasked ? 0x80 : 0;
  const head =
    payloadBytes < 126 ? Buffer.alloc(2) : payloadBytes < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x82;
  if (head.length === 2) head[1] = mask | payloadBytes;
  else if (head.length === 4) {
    head[1] = mask | 126;
    head.writeUInt16BE(payloadBytes, 2);
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(payloadBytes), 2);
  }
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0, 0xff), Buffer.alloc(payloadBytes, 0xff)]);
}

t.test('every length form has its boundaries where it should', async (t) => {
  for (const payloadBytes of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
    for (const isMasked of [false, true]) {
      const tracker = new WebSocketFrameTracker();
      t.equal(tracker.atBoundary, true, 'nothing has come yet');
      const bytes = encode({ payloadBytes, isMasked });
      tracker.push(bytes.subarray(0, 1));
      t.equal(tracker.atBoundary, false, 'within the head');
      tracker.push(bytes.subarray(1, -1));
      t.equal(tracker.atBoundary, false, `${payloadBytes} bytes, masked: ${isMasked}`);
      tracker.push(bytes.subarray(-1));
      t.equal(tracker.atBoundary, true, 'at the end');
    }
  }
});

t.test('pieces of any size make no difference', async () => {
  const frame = fc.record({
    payloadBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(65_535, 65_536)),
    isMasked: fc.boolean(),
  });
  const property = fc.property(
    fc.array(frame, { maxLength: 5 }),
    fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
    (frames, sizes) => {
      const tracker = new WebSocketFrameTracker();
      const encoded = frames.map(encode);
      const ends = new Set([0]);
      for (const bytes of encoded) ends.add(Math.max(...ends) + bytes.length);
      const stream = Buffer.concat(encoded);
      let position = 0;
      for (let turn = 0; position < stream.length; turn++) {
        const size = Math.min(sizes[turn % sizes.length] ?? 1, stream.length - position);
        tracker.push(stream.subarray(position, position + size));
        position += size;
        if (tracker.atBoundary !== ends.has(position)) return false;
      }
      return tracker.atBoundary;
    },
  );
  fc.assert(property);
});

t.test('the goodbye is one frame with status 1001', async (t) => {
  for (const frame of [GOING_AWAY_FRAME, MASKED_GOING_AWAY_FRAME]) {
    const tracker = new WebSocketFrameTracker();
    tracker.push(frame);
    t.equal(tracker.atBoundary, true);
    t.equal(frame[0], 0x88, 'FIN and the opcode of close');
    t.same(Buffer.from(frame.slice(-2)).readUInt16BE(), 1_001);
  }
  t.equal((GOING_AWAY_FRAME[1] ?? 0) & 0x80, 0, 'a server masks nothing');
  t.equal((MASKED_GOING_AWAY_FRAME[1] ?? 0) & 0x80, 0x80, 'a client masks everything');
});

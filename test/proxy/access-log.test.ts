/** The lines that are put together by hand are those that a serialiser would write. */
import fc from 'fast-check';
import t from 'tap';
import { ERRORS } from '../../lib/core/errors.ts';
import { AccessLog, type AccessRecord } from '../../lib/proxy/access-log.ts';

function createLog(rate = 1) {
  const lines: string[] = [];
  return { lines, log: new AccessLog({ write: (members) => lines.push(`{${members}}`) }, rate) };
}

/** Also what JSON escapes: quotes, controls, halves of surrogate pairs. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constant('\ud800"\\'),
);
const textOrNull = fc.option(text);
const count = fc.nat();
const milliseconds = fc.integer({ min: 0, max: 100_000_000 }).map((hundredths) => hundredths / 100);

/** In the order of their lines. */
const record: fc.Arbitrary<AccessRecord> = fc.record({
  requestId: text,
  client: text,
  method: text,
  host: text,
  path: text,
  status: count,
  code: textOrNull,
  route: textOrNull,
  cluster: textOrNull,
  destination: textOrNull,
  consumer: textOrNull,
  attempts: count,
  revision: count,
  durationMs: milliseconds,
  upstreamMs: fc.option(milliseconds),
  requestBytes: count,
  responseBytes: count,
});

t.test('a line is what JSON.stringify makes of the record', (t) => {
  fc.assert(
    fc.property(record, (record) => {
      const { lines, log } = createLog();
      log.write(record);
      return lines[0] === JSON.stringify(record);
    }),
  );
  t.end();
});

t.test('so is that of a refusal', (t) => {
  const { lines, log } = createLog();
  log.writeRefusal('id-"1"', '2001:db8::1', ERRORS.badRequest);
  const { status, code } = ERRORS.badRequest;
  t.same(lines, [JSON.stringify({ requestId: 'id-"1"', client: '2001:db8::1', status, code })]);
  t.end();
});

t.test('of a share, failures are always written', (t) => {
  const { log } = createLog(Number.MIN_VALUE);
  t.same(
    [
      [200, null],
      [404, 'GW_ERR_NO_ROUTE'],
      [502, 'GW_ERR_UPSTREAM_RESET'],
      [503, null],
      [499, 'GW_ERR_CLIENT_ABORTED'],
      [499, null],
    ].map(([status, code]) => log.wants(Number(status), code as string | null)),
    [false, false, true, true, true, false],
  );
  t.end();
});

import t from 'tap';
import { parseTimeSpan } from '../../../lib/core/import/time-span.ts';

t.test('the constant format of .NET', async (t) => {
  for (const [text, milliseconds] of [
    ['00:00:30', 30_000],
    ['00:01:40', 100_000],
    ['1.02:03:04', 93_784_000],
    ['00:00:00.5000000', 500],
    ['00:00:00.0000001', 1],
    ['-00:00:00.0010000', -1],
    ['00:00:00', 0],
  ] as const) {
    t.equal(parseTimeSpan(text), milliseconds, text);
  }
  for (const text of ['', '30', '30s', '24:00:00', '00:60:00', '0:00:30', '00:00:30.5', '00:00']) {
    t.equal(parseTimeSpan(text), null, text);
  }
});

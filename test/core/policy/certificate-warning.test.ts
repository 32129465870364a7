import t from 'tap';
import { warningDueAt } from '../../../lib/core/policy/certificate-warning.ts';

const DAY_MS = 86_400_000;

t.test('a warning is due 30, 7 and 1 days before the end, and at the end', (t) => {
  const inDays: [number, number | null][] = [
    [31, null],
    [30, 30],
    [7.01, 30],
    [7, 7],
    [1.5, 7],
    [1, 1],
    [0.01, 1],
    [0, 0],
    [-400, 0],
  ];
  for (const [days, expected] of inDays) t.equal(warningDueAt(days * DAY_MS + 5, 5), expected, `${days}`);
  t.end();
});

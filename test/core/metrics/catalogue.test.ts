import t from 'tap';
import { METRICS } from '../../../lib/core/metrics/catalogue.ts';

const definitions = Object.values(METRICS);

t.test('every name is unique and follows the Prometheus conventions', async (t) => {
  t.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length);
  for (const { name, type, help, labels } of definitions) {
    t.match(name, /^gateway_[a-z]+(_[a-z]+)*$/);
    t.equal(
      name.endsWith('_total'),
      type === 'counter',
      `${name}: _total is for counters, and only for them`,
    );
    t.notMatch(name, /_(ms|milliseconds|kilobytes|minutes)\b/, 'base units');
    t.not(help, '');
    for (const label of labels) t.match(label, /^[a-z]+$/);
  }
});

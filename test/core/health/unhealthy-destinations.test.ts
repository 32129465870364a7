import t from 'tap';
import { UnhealthyDestinations } from '../../../lib/core/health/unhealthy-destinations.ts';

t.test('only what is unhealthy is remembered, by cluster', (t) => {
  const unhealthy = new UnhealthyDestinations();
  unhealthy.note({ cluster: 'c', destination: 'a', healthy: false });
  unhealthy.note({ cluster: 'c', destination: 'b', healthy: false });
  unhealthy.note({ cluster: 'c', destination: 'a', healthy: true });
  unhealthy.note({ cluster: 'd', destination: 'x', healthy: true });
  t.same([[...unhealthy.of('c')], [...unhealthy.of('d')]], [['b'], []]);
  t.same(unhealthy.list(), [{ cluster: 'c', destination: 'b', healthy: false }]);
  unhealthy.note({ cluster: 'c', destination: 'b', healthy: true });
  t.same(unhealthy.list(), []);
  t.end();
});

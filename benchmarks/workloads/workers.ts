import { loadOverHttp } from '../suite/autocannon-load.ts';
import { manyRoutesTo, ROUTE_PATHS } from '../suite/gateway-configuration.ts';
import type { Entrant, Workload } from '../suite/workload.ts';
import { startGatewayWith } from '../support/contender.ts';

const CONNECTIONS = 64;

export const workers: Workload = {
  name: 'workers',
  title: 'One worker, two workers',
  description:
    'Small GET as above. Both gateways have the one core of a contender: this is about what a second worker costs, ' +
    'not about how much two can do.',
  warmUps: 3,
  targets: [{ measure: 'cpu', of: 'gateway, two workers', to: 'gateway', most: 1.1 }],
  async enter(bench, scope) {
    const configuration = manyRoutesTo(await bench.origin());
    const enter = async (name: string, count: number): Promise<Entrant> => {
      const contender = await startGatewayWith(configuration, count, { cores: bench.cores.contender });
      scope.teardown(() => contender.stop());
      const load = { port: contender.port, connections: CONNECTIONS, paths: ROUTE_PATHS };
      return { name, contender, load: (seconds) => loadOverHttp(load, seconds) };
    };
    return { entrants: [await enter('gateway', 1), await enter('gateway, two workers', 2)], leftOut: [] };
  },
};

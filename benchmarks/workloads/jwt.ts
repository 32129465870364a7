import type { ConfigurationDocument } from '../../lib/core/config/model.ts';
import { loadOverHttp } from '../suite/autocannon-load.ts';
import { clusterOf } from '../suite/gateway-configuration.ts';
import type { Origin } from '../suite/origin.ts';
import type { Workload } from '../suite/workload.ts';
import { startGatewayWith } from '../support/contender.ts';
import { createSampleToken, type SampleToken } from '../support/sample-token.ts';

const CONNECTIONS = 64;

export const jwt: Workload = {
  name: 'jwt',
  title: 'JWT, known already',
  description:
    'Small GET through two routes of the same gateway; one wants a JWT and a scope, and gets the same token each time.',
  warmUps: 3,
  targets: [{ measure: 'cpu', of: 'gateway, JWT', to: 'gateway', most: 1.1 }],
  async enter(bench, scope) {
    const sample = createSampleToken();
    const configuration = configurationFor(await bench.origin(), sample);
    const gateway = await startGatewayWith(configuration, 1, { cores: bench.cores.contender });
    scope.teardown(() => gateway.stop());
    // Both send it, so that they differ in nothing but what the gateway does about it.
    const load = {
      port: gateway.port,
      connections: CONNECTIONS,
      headers: { authorization: `Bearer ${sample.token}` },
    };
    const entrant = (name: string, path: string) => ({
      name,
      contender: gateway,
      load: (seconds: number) => loadOverHttp({ ...load, paths: [path] }, seconds),
    });
    return { entrants: [entrant('gateway', '/open'), entrant('gateway, JWT', '/jwt')], leftOut: [] };
  },
};

function configurationFor(origin: Origin, { issuer }: SampleToken): ConfigurationDocument {
  const auth = { issuers: ['main'], scopes: ['orders.read'] };
  return {
    clusters: { origin: clusterOf(origin) },
    issuers: { main: issuer },
    routes: {
      open: { match: { path: '/open' }, cluster: 'origin' },
      jwt: { match: { path: '/jwt' }, cluster: 'origin', auth },
    },
  };
}

/** The two gateways under comparison, in front of one origin. */
import type { Cluster, ConfigurationDocument, Route } from '../../lib/core/config/model.ts';
import { type Contender, startGatewayWith, startNginx, startScript } from '../support/contender.ts';
import type { Scope } from '../support/scope.ts';
import { lockedEnvironment } from './locked-environment.ts';

const DESTINATIONS = 4;
const WORKERS = 2;

/** The gateway as it is, and one whose balancers are in Redis; clusters are named `c0`, `c1`, … in both. */
export async function startGateways(
  scope: Scope,
  redisPort: number,
  clusters: number,
): Promise<{ readonly gateway: Contender; readonly locked: Contender }> {
  const origin = await stopWith(scope, startOrigin());
  const configuration = configurationFor(origin.port, clusters);
  const gateway = await stopWith(scope, startGatewayWith(configuration, WORKERS));
  // The last to be started, so nobody else inherits it.
  Object.assign(process.env, lockedEnvironment(redisPort));
  const locked = await stopWith(scope, startGatewayWith(configuration, WORKERS));
  return { gateway, locked };
}

/** Stops it at the end, also where that comes while it starts. */
function stopWith(scope: Scope, starting: Promise<Contender>): Promise<Contender> {
  scope.teardown(async () => {
    const contender = await starting.catch(() => null);
    await contender?.stop();
  });
  return starting;
}

async function startOrigin(): Promise<Contender> {
  const nginx = await startNginx('origin', 'return 200 "hello world\\n";');
  return nginx ?? startScript('origin', 'support/origin.ts', 0);
}

/** All destinations are the same origin: what is balanced does not matter, only what it costs. */
function configurationFor(originPort: number, clusters: number): ConfigurationDocument {
  const ids = Array.from({ length: clusters }, (_, index) => `c${index}`);
  const url = `http://127.0.0.1:${originPort}`;
  const destinations = Array.from({ length: DESTINATIONS }, (_, index) => [`d${index}`, { url }]);
  const cluster: Cluster = {
    loadBalancing: { policy: 'leastRequests' },
    destinations: Object.fromEntries(destinations),
  };
  const routeTo = (id: string): Route => ({ match: { path: `/${id}/{**rest}` }, cluster: id });
  return {
    clusters: Object.fromEntries(ids.map((id) => [id, cluster])),
    routes: Object.fromEntries(ids.map((id) => [id, routeTo(id)])),
  };
}

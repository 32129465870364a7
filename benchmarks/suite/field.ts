/** All who are compared: started once for all workloads that ask them the same way. */
import {
  type Contender,
  hasNginx,
  startGatewayWith,
  startNginxWith,
  startScript,
} from '../support/contender.ts';
import type { Scope } from '../support/scope.ts';
import { manyRoutesTo, ROUTE_COUNT } from './gateway-configuration.ts';
import { startHaproxy } from './haproxy.ts';
import { nginxProxy } from './nginx-proxy.ts';
import type { Origin } from './origin.ts';

export interface Field {
  readonly contenders: readonly Contender[];
  /** Who is not there, as lines that say why. */
  readonly leftOut: readonly string[];
}

/** Null: it is not installed. */
export type Start = () => Promise<Contender | null>;

/** @param cores for each contender, as taskset takes them @param names who is wanted; null: all */
export function startField(
  scope: Scope,
  origin: Origin,
  cores: string | null,
  names: readonly string[] | null,
): Promise<Field> {
  const options = { cores };
  const [originPort = 0] = origin.ports;
  const prefixes = [...Array.from({ length: ROUTE_COUNT }, (_, index) => `/r${index}/`), '/bytes/', '/post'];
  const nginx = (port: number) => nginxProxy(origin, port, { prefixes });
  const starts: Record<string, Start> = {
    gateway: () => startGatewayWith(manyRoutesTo(origin), 1, options),
    nginx: async () => (hasNginx() ? startNginxWith('nginx', nginx, options) : null),
    HAProxy: () => startHaproxy(origin, { prefixes: [...prefixes, '/socket'], ...options }),
    'http-proxy-3': () => startScript('http-proxy-3', 'support/http-proxy-3.ts', originPort, options),
    '@fastify/http-proxy': () =>
      startScript('@fastify/http-proxy', 'support/fastify-http-proxy.ts', originPort, options),
    'bare undici': () => startScript('bare undici', 'support/undici-proxy.ts', originPort, options),
  };
  const wanted = Object.entries(starts).filter(([name]) => names === null || names.includes(name));
  return startAll(scope, Object.fromEntries(wanted));
}

/** Who does not start is left out, so that the others are measured all the same. */
export async function startAll(scope: Scope, starts: Readonly<Record<string, Start>>): Promise<Field> {
  const contenders: Contender[] = [];
  const leftOut: string[] = [];
  for (const [name, start] of Object.entries(starts)) {
    try {
      const contender = await start();
      if (contender === null) {
        leftOut.push(`${name}: not installed`);
        continue;
      }
      scope.teardown(() => contender.stop());
      contenders.push(contender);
    } catch (error) {
      leftOut.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { contenders, leftOut };
}

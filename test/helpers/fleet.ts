/** Two gateways that share a Redis, their traffic, and what has to be true of them in the end. */
import assert from 'node:assert/strict';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import type { Route } from '../../lib/core/config/model.ts';
import { AdminClient } from './admin-client.ts';
import { eventually } from './eventually.ts';
import type { GatewayOptions } from './gateway-command.ts';
import { type GatewayProcess, startGateway } from './gateway-process.ts';
import { type Load, startLoad } from './load.ts';
import { startOrigin } from './scripted-origin.ts';
import type { TestOwner } from './test-owner.ts';
import { get } from './worker-processes.ts';

const WORKERS = 2;
const NAMES = ['one', 'two'] as const;
/** A starting gateway on a busy machine. */
const START_LIMIT_MS = 40_000;
/** The rhythm of the clients: they are to notice trouble, not to be a burden. */
const PAUSE_MS = 5;

/** One gateway of several. */
export interface Instance {
  readonly name: string;
  readonly gateway: GatewayProcess;
  readonly admin: AdminClient;
}

/** What all workers of all instances serve. */
export interface Agreement {
  readonly revision: number;
  readonly id: string;
  readonly fingerprint: string;
}

export class Fleet {
  readonly one: Instance;
  readonly two: Instance;
  #changes = 0;

  constructor(one: Instance, two: Instance) {
    this.one = one;
    this.two = two;
  }

  get instances(): readonly Instance[] {
    return [this.one, this.two];
  }

  /** Waits until every worker of all instances serves the same, and nobody complains. */
  async agree(limitMs?: number): Promise<Agreement> {
    return eventually(async () => agreementOf(await this.statuses()), limitMs);
  }

  statuses(): Promise<InstanceStatus[]> {
    return Promise.all(this.instances.map(({ admin }) => admin.status()));
  }

  /** Waits until the status of each instance is one that `check` takes: it throws where it is not. */
  async each(check: (status: InstanceStatus) => void, limitMs?: number): Promise<void> {
    await eventually(async () => (await this.statuses()).forEach(check), limitMs);
  }

  /** Waits until each instance shows these samples. */
  async eachMetric(samples: Readonly<Record<string, number>>, limitMs?: number): Promise<void> {
    await eventually(async () => {
      for (const { gateway } of this.instances) {
        const metrics = await gateway.metrics();
        const found = Object.keys(samples).map((name) => [name, metrics.get(name)]);
        assert.deepEqual(Object.fromEntries(found), samples);
      }
    }, limitMs);
  }

  /** The answers of the instances to a request, by status. */
  async statusOf(path: string): Promise<number[]> {
    return Promise.all(this.instances.map(async ({ gateway }) => (await get(gateway.port, path)).status));
  }

  /** Makes a change through each instance: every worker of all confirms it, and serves it. */
  async assertTakesChanges(): Promise<void> {
    for (const { name, admin } of this.instances) {
      this.#changes += 1;
      const path = `/confirmed-${name}-${this.#changes}`;
      const { status, body } = await admin.put('routes', path.slice(1), routeTo(path));
      assert.equal(status, 201, `the change through ${name} is confirmed: ${JSON.stringify(body)}`);
      const workers = body.applied?.filter(({ ok }) => ok).map(({ instance }) => instance);
      assert.deepEqual(workers?.sort(), ['one', 'one', 'two', 'two']);
      assert.deepEqual(await this.statusOf(path), [200, 200]);
    }
    await this.agree();
  }
}

/** A route to the origin of the fleet. */
export function routeTo(path: string): Route {
  return { match: { path }, cluster: 'origin' };
}

/** @throws AssertionError where not every worker of all instances serves the same, or one of them complains */
export function agreementOf(statuses: readonly InstanceStatus[], workersEach = WORKERS): Agreement {
  const [first] = statuses;
  assert(first !== undefined);
  const { revision, id, fingerprint } = first.configuration;
  for (const { instance, configuration, workers, store } of statuses) {
    const { degraded, refused, applied } = configuration;
    assert.deepEqual(
      [instance, configuration.revision, configuration.id, configuration.fingerprint],
      [instance, revision, id, fingerprint],
    );
    assert.deepEqual(
      { degraded, refused, applied },
      { degraded: null, refused: null, applied: true },
      instance,
    );
    assert.deepEqual([store.reachable, store.problem], [true, null], instance);
    assert.deepEqual(
      workers.map((worker) => [worker.state, worker.revision, worker.id, worker.fingerprint]),
      Array.from({ length: workersEach }, () => ['serving', revision, id, fingerprint]),
      instance,
    );
  }
  return { revision, id, fingerprint };
}

export interface FleetOptions {
  /** Of the Redis of both. */
  readonly url: string;
  /** Another one for the second instance: the way through a relay. */
  readonly secondUrl?: string;
  /** More routes to begin with, by id. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** Added to the environment of both. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts one instance with two workers, which goes with the test. */
export async function startInstance(
  owner: TestOwner,
  name: string,
  url: string,
  options: GatewayOptions = {},
): Promise<Instance> {
  const flags = ['--redis', url, '--instance', name, ...(options.flags ?? [])];
  const gateway = await startGateway(owner, {
    workers: WORKERS,
    accessLog: 'off',
    startLimitMs: START_LIMIT_MS,
    ...options,
    flags,
  });
  return { name, gateway, admin: new AdminClient(() => gateway.adminPort, gateway.stateDirectory) };
}

/** Starts two instances on an empty Redis and gives them a cluster `origin` and a route `/steady`. */
export async function startFleet(owner: TestOwner, options: FleetOptions): Promise<Fleet> {
  const { url, secondUrl = url, routes = {}, environment = {} } = options;
  const origin = await startOrigin((_, connection) => connection.answer({ body: 'served' }), { owner });
  const [one, two] = await Promise.all([
    startInstance(owner, NAMES[0], url, { environment }),
    startInstance(owner, NAMES[1], secondUrl, { environment }),
  ]);
  const body = {
    clusters: { origin: { destinations: { only: { url: origin.url } } } },
    routes: { steady: routeTo('/steady'), ...routes },
  };
  const written = await one.admin.write('PUT', 'config?wait=all&timeoutMs=20000', { body });
  assert.equal(written.status, 200, JSON.stringify(written.body));
  const fleet = new Fleet(one, two);
  await fleet.agree();
  return fleet;
}

export class Traffic {
  readonly #loads: readonly Load[];

  constructor(loads: readonly Load[]) {
    this.#loads = loads;
  }

  /** Waits until each instance has answered so many more requests. */
  async flows(count = 20): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.waitForAnswers(count)));
  }

  /** Ends it. @throws AssertionError where a single request was not answered as it should be */
  async assertUnharmed(): Promise<void> {
    await this.flows();
    for (const load of this.#loads) {
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.deepEqual([...load.statuses.keys()], [200]);
    }
  }
}

/** Kept connections to each of the instances, on which requests follow each other. */
export async function startTraffic(
  owner: TestOwner,
  instances: readonly Instance[],
  path: () => string = () => '/steady',
): Promise<Traffic> {
  const traffic = new Traffic(
    instances.map(({ gateway }) =>
      startLoad({ owner, port: gateway.port, clients: 3, keepAlive: true, pauseMs: PAUSE_MS, path }),
    ),
  );
  await traffic.flows();
  return traffic;
}

/** A keeper that follows a store, a writer for it, and what the keeper told about. */
import pino from 'pino';
import type { ChangeOrder } from '../../lib/admin/control-plane.ts';
import type { Delta, Head, Operation, PutOperation } from '../../lib/core/config/change.ts';
import { documentOf } from '../../lib/core/config/document.ts';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import type { ErrorDefinition } from '../../lib/core/errors.ts';
import { ChangeWriter } from '../../lib/primary/change-writer.ts';
import { ConfigKeeper, type RefusedConfiguration } from '../../lib/primary/config-keeper.ts';
import { LastGoodSource } from '../../lib/primary/last-good-source.ts';
import { StoreFollower } from '../../lib/primary/store-follower.ts';
import type { ConfigStore } from '../../lib/store/config-store.ts';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

export const CLUSTER: Cluster = { destinations: { d: { url: 'http://127.0.0.1:1' } } };

export const putCluster = (id = 'one'): PutOperation => ({ op: 'put', kind: 'cluster', id, value: CLUSTER });
export const routeTo = (path: string, cluster = 'one'): Route => ({ match: { path }, cluster });
export const putRoute = (id: string, path = `/${id}`, cluster = 'one'): PutOperation => ({
  op: 'put',
  kind: 'route',
  id,
  value: routeTo(path, cluster),
});
export const removeRoute = (id: string): Operation => ({ op: 'delete', kind: 'route', id });
/** Names a cluster that is not there. */
export const putLostRoute = (id = 'lost'): PutOperation => putRoute(id, `/${id}`, 'nowhere');

/** Operations, or what replaces all there is. */
export type Content = readonly unknown[] | Exclude<ChangeOrder['content'], { readonly operations: unknown }>;

const isList = (content: Content): content is readonly unknown[] => Array.isArray(content);

export const orderOf = (content: Content, more: Partial<ChangeOrder> = {}): ChangeOrder => ({
  content: isList(content) ? { operations: content } : content,
  actor: 'tester',
  message: 'a test',
  dryRun: false,
  wait: 'none',
  timeoutMs: 0,
  ...more,
});

/** A pattern for a `ControlError`. */
export function refusalOf(pattern: {
  readonly definition: ErrorDefinition;
  readonly message?: RegExp;
  readonly details?: Readonly<Record<string, unknown>>;
}): { readonly name: string } {
  return { name: 'ControlError', ...pattern };
}

/** What the keeper told, in order. */
interface Told {
  readonly deltas: Delta[];
  readonly refusals: RefusedConfiguration[];
  readonly stepBacks: { readonly from: Head; readonly to: Head }[];
  readonly logged: { readonly level: number; readonly msg: string }[];
  emptied: number;
}

export interface Followed extends Told {
  readonly keeper: ConfigKeeper;
  readonly follower: StoreFollower;
  readonly writer: ChangeWriter;
  readonly directory: string;
  /** The ids of the routes held. */
  routes(): string[];
  document(): unknown;
  waitFor(condition: () => boolean): Promise<true>;
  change(content: Content, more?: Partial<ChangeOrder>): Promise<Head>;
}

/** The follower is not started; it is closed with the test. */
export async function followStore(
  owner: TestOwner,
  store: ConfigStore,
  directory?: string,
): Promise<Followed> {
  const place = directory ?? (await createTemporaryDirectory(owner));
  const changed = new ChangeSignal();
  const told: Told = { deltas: [], refusals: [], stepBacks: [], logged: [], emptied: 0 };
  const logger = pino({ base: null }, { write: (line: string) => told.logged.push(JSON.parse(line)) });
  const events = {
    onDelta: (delta: Delta) => told.deltas.push(delta),
    onRefused: (refused: RefusedConfiguration) => told.refusals.push(refused),
    onStepBack: (from: Head, to: Head) => told.stepBacks.push({ from, to }),
    onStoreEmpty: () => {
      told.emptied += 1;
    },
  };
  const keeper = new ConfigKeeper(
    new LastGoodSource(new LastGoodFile(place), store.source, logger),
    {
      onDelta: (delta) => notify(events.onDelta(delta)),
      onRefused: (refused) => notify(events.onRefused(refused)),
      onStepBack: (from, to) => notify(events.onStepBack(from, to)),
      onStoreEmpty: () => notify(events.onStoreEmpty()),
    },
    logger,
  );
  const notify = (_: unknown) => changed.notify();
  const follower = new StoreFollower(store, keeper);
  owner.teardown(() => follower.close());
  const writer = new ChangeWriter(store, keeper, follower);
  return Object.assign(told, {
    keeper,
    follower,
    writer,
    directory: place,
    routes: () => [...keeper.current.configuration.routes.keys()].sort(),
    document: () => structuredClone(documentOf(keeper.current.configuration)),
    waitFor: (condition: () => boolean) =>
      changed.waitFor(
        () => (condition() ? (true as const) : undefined),
        10_000,
        () => `${told.deltas.length} deltas, ${told.refusals.length} refusals`,
      ),
    change: async (content: Content, more: Partial<ChangeOrder> = {}) =>
      (await writer.change(orderOf(content, more), () => {})).head,
  });
}

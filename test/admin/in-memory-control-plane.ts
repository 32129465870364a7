/** A control plane of one process, without store and workers: what stands behind the API in its tests. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ChangeOrder,
  type ChangeReceipt,
  ControlError,
  type ControlEvent,
  type ControlPlane,
  type EntryRequirement,
  type FleetMember,
  type HistoryEntry,
  type InstanceStatus,
  type RollbackOrder,
} from '../../lib/admin/control-plane.ts';
import type { Head, Operation } from '../../lib/core/config/change.ts';
import { describeDifference } from '../../lib/core/config/describe-difference.ts';
import { applyOperations, diffConfigurations } from '../../lib/core/config/difference.ts';
import { documentOf, EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { COLLECTIONS, type Configuration } from '../../lib/core/config/model.ts';
import { validateDocument } from '../../lib/core/config/validate.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import type { ExplainRequest, Explanation } from '../../lib/core/explain/explanation.ts';
import type { HealthReport } from '../../lib/core/health/health-report.ts';

const AT = '2026-03-01T12:00:00.000Z';

export class InMemoryControlPlane implements ControlPlane {
  /** Everything that was asked for, the last at the end. */
  readonly orders: (ChangeOrder | RollbackOrder)[] = [];
  readonly explained: ExplainRequest[] = [];
  /** What every write and look-up fails with. */
  failure: Error | null = null;
  /** False: some worker never confirms. */
  confirms = true;
  /** Called before a write is made, as somebody else would come in between. */
  beforeWrite: () => void = () => {};
  /** Resolves what writes wait for. */
  hold: Promise<void> = Promise.resolve();
  /** Called when the history is read; the read goes on once this has resolved. */
  beforeHistory: () => Promise<void> = async () => {};
  restarts = 0;
  #head: Head = { revision: 7, id: 'id-7', parent: null, at: AT };
  #configuration: Configuration = EMPTY_CONFIGURATION;
  readonly #past = new Map<number, Configuration>();
  readonly #history: HistoryEntry[] = [];
  readonly #health = new Map<string, HealthReport>();
  readonly #listeners = new Set<(event: ControlEvent) => void>();

  get subscriptions(): number {
    return this.#listeners.size;
  }

  current(): { readonly head: Head; readonly configuration: Configuration } {
    return { head: this.#head, configuration: this.#configuration };
  }

  /** Puts a configuration in place without any check. */
  set(configuration: Configuration): void {
    this.#configuration = configuration;
    const revision = this.#head.revision + 1;
    this.#head = { revision, id: `id-${revision}`, parent: this.#head.id, at: AT };
    this.#past.set(revision, configuration);
  }

  emit(event: ControlEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async change(order: ChangeOrder): Promise<ChangeReceipt> {
    this.orders.push(order);
    await nextTurn();
    this.beforeWrite();
    await this.hold;
    this.#check(order.expectedRevision);
    this.#require(order.requires);
    return this.#write(order, this.#validate(order.content));
  }

  async rollback(order: RollbackOrder): Promise<ChangeReceipt> {
    this.orders.push(order);
    this.#check(order.expectedRevision);
    const past = this.#past.get(order.revision);
    if (past === undefined)
      throw new ControlError(ERRORS.notFound, `revision ${order.revision} is not known`);
    return this.#write(order, past);
  }

  #check(expectedRevision: number | undefined): void {
    if (this.failure !== null) throw this.failure;
    const currentRevision = this.#head.revision;
    if (expectedRevision === undefined || expectedRevision === currentRevision) return;
    const detail = `expected revision ${expectedRevision}`;
    throw new ControlError(ERRORS.revisionConflict, detail, { currentRevision });
  }

  #validate(content: ChangeOrder['content']): Configuration {
    const { configuration, problems } = validateDocument(this.#documentOf(content));
    if (configuration !== null) return configuration;
    throw new ControlError(ERRORS.invalidConfiguration, 'there are problems', { problems });
  }

  #documentOf(content: ChangeOrder['content']): unknown {
    if ('document' in content) return content.document;
    if ('kind' in content) {
      return { ...documentOf(this.#configuration), [COLLECTIONS[content.kind]]: content.entries };
    }
    return documentOf(applyOperations(this.#configuration, content.operations as Operation[]));
  }

  #require(requirement: EntryRequirement | undefined): void {
    if (requirement === undefined) return;
    const { kind, id, present, otherwise } = requirement;
    if (this.#configuration[COLLECTIONS[kind]].has(id) === present) return;
    throw new ControlError(otherwise, `there is ${present ? 'no' : 'already a'} ${kind} "${id}"`);
  }

  #write(order: Omit<ChangeOrder, 'content'>, next: Configuration): ChangeReceipt {
    const before = this.#configuration;
    const operations = diffConfigurations(before, next);
    const difference = describeDifference(before, operations);
    const changed = operations.length > 0 && !order.dryRun;
    if (changed) {
      this.set(next);
      const { actor, message } = order;
      this.#history.unshift({ ...this.#head, actor, message, operations: operations.length, difference });
    }
    const { revision, id } = this.#head;
    const applied =
      order.wait === 'none' ? [] : [{ instance: 'test-1', worker: 1, revision, ok: this.confirms }];
    const complete = applied.every(({ ok }) => ok);
    return {
      revision,
      id,
      changed,
      operations: operations.length,
      difference,
      warnings: [],
      applied,
      complete,
    };
  }

  async history(limit: number, before = Number.POSITIVE_INFINITY): Promise<readonly HistoryEntry[]> {
    await this.beforeHistory();
    if (this.failure !== null) throw this.failure;
    return this.#history.filter(({ revision }) => revision < before).slice(0, limit);
  }

  status(): InstanceStatus {
    const { revision, id, at } = this.#head;
    const { routes, clusters } = this.#configuration;
    return {
      instance: 'test-1',
      version: '1.2.3',
      startedAt: AT,
      at: AT,
      listen: '127.0.0.1:8080',
      admin: '127.0.0.1:9901',
      ready: true,
      requestsPerSecond: 0.5,
      store: {
        kind: 'file',
        source: 'file:.gateway',
        writable: true,
        reachable: true,
        problem: null,
        since: AT,
      },
      configuration: {
        revision,
        id,
        at,
        routes: routes.size,
        clusters: clusters.size,
        fingerprint: 'f',
        applied: true,
        degraded: null,
        refused: { revision: 5, at, problems: [{ pointer: '/x', message: 'no' }], problemCount: 1 },
      },
      materials: [{ name: 'file:/key.pem', problem: 'it is empty', since: at }],
      workers: [{ worker: 1, slot: 0, pid: 4711, state: 'serving', revision, id, fingerprint: null }],
    };
  }

  async instances(): Promise<readonly FleetMember[]> {
    if (this.failure !== null) throw this.failure;
    return [{ ...this.status(), lags: false }];
  }

  async explain(request: ExplainRequest): Promise<Explanation> {
    this.explained.push(request);
    return {
      revision: this.#head.revision,
      worker: 1,
      request: { method: request.method, host: 'a.example', path: '/', query: '' },
      candidates: [{ route: 'r', order: 0, won: true, reason: 'the only one' }],
      candidatesCut: false,
      route: 'r',
      cluster: 'c',
      policies: [{ policy: 'retry', effect: 'two tries', settings: { attempts: 2 } }],
      upstream: { method: request.method, target: '/', headers: request.headers },
      destinations: [
        { destination: 'd', url: 'http://127.0.0.1:1', weight: 1, healthy: true, usable: true, active: 0 },
      ],
      pick: { destination: 'd', url: 'http://127.0.0.1:1', certain: true, reason: 'the only one' },
    };
  }

  health(): readonly HealthReport[] {
    return [...this.#health.values()];
  }

  async reportHealth(reports: readonly HealthReport[]): Promise<number> {
    for (const report of reports) this.#health.set(`${report.cluster} ${report.destination}`, report);
    return reports.length;
  }

  restartWorkers(): void {
    if (this.failure !== null) throw this.failure;
    this.restarts += 1;
  }

  subscribe(onEvent: (event: ControlEvent) => void): () => void {
    this.#listeners.add(onEvent);
    return () => this.#listeners.delete(onEvent);
  }
}

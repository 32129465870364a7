/** What instances share, in memory: it lists and tells what a test says, loses what it says, and fails when it says so. */
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import type { HealthReport } from '../../lib/core/health/health-report.ts';
import { StoreUnavailableError } from '../../lib/store/config-store.ts';
import type { HealthDirectory, InstanceDirectory, InstanceRecord } from '../../lib/store/shared-state.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';

const gone = () => new StoreUnavailableError('the store is gone', { notWritten: true });

export class ScriptedDirectory implements InstanceDirectory {
  listed: InstanceStatus[] = [];
  fails = false;
  readonly announced: InstanceRecord[] = [];
  readonly withdrawn: string[] = [];
  readonly changed = new ChangeSignal();
  /** Where it is set, announcements wait for it. */
  hold: Promise<void> | null = null;
  /** The same for lists. */
  holdList: Promise<void> | null = null;
  lists = 0;
  #tell: (record: InstanceRecord) => void = () => {};

  tell(record: object): void {
    this.#tell(record as InstanceRecord);
  }

  async announce(record: InstanceRecord): Promise<void> {
    this.announced.push(record);
    this.changed.notify();
    await this.hold;
    if (this.fails) throw gone();
  }

  async list(): Promise<readonly InstanceRecord[]> {
    this.lists += 1;
    this.changed.notify();
    await this.holdList;
    if (this.fails) throw gone();
    return this.listed.map((status) => ({ ...status }));
  }

  watch(onRecord: (record: InstanceRecord) => void): void {
    this.#tell = onRecord;
  }

  async withdraw(instance: string): Promise<void> {
    this.withdrawn.push(instance);
    if (this.fails) throw gone();
  }

  waitFor(condition: () => boolean): Promise<true> {
    return this.changed.waitFor(
      () => (condition() ? (true as const) : undefined),
      10_000,
      () => `${this.announced.length} announcements, ${this.lists} lists`,
    );
  }
}

export class ScriptedHealth implements HealthDirectory {
  stored: HealthReport[] = [];
  fails = false;
  #tell: (reports: readonly HealthReport[]) => void = () => {};

  tell(reports: readonly HealthReport[]): void {
    this.#tell(reports);
  }

  async report(reports: readonly HealthReport[]): Promise<number> {
    if (this.fails) throw gone();
    this.stored.push(...reports);
    return reports.length;
  }

  async read(): Promise<readonly HealthReport[]> {
    if (this.fails) throw gone();
    return this.stored;
  }

  watch(onReports: (reports: readonly HealthReport[]) => void): void {
    this.#tell = onReports;
  }
}

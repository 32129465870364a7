/** A keeper of materials, what it told the workers, and what it logged. */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Operation } from '../../../lib/core/config/change.ts';
import { EMPTY_CONFIGURATION } from '../../../lib/core/config/document.ts';
import type { Configuration, Issuer } from '../../../lib/core/config/model.ts';
import { MaterialKeeper, type MaterialSettings } from '../../../lib/primary/materials/material-keeper.ts';
import type { MaterialNews } from '../../../lib/primary/materials/material-news.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export class KeptMaterials {
  readonly keeper: MaterialKeeper;
  readonly stateDirectory: string;
  /** The messages, oldest first. */
  readonly told: (readonly MaterialNews[])[] = [];
  readonly lines: LogLine[] = [];
  readonly #changed = new ChangeSignal();

  constructor(settings: MaterialSettings) {
    this.stateDirectory = settings.stateDirectory;
    const log = new Writable({
      write: (line, _encoding, done) => {
        this.lines.push(JSON.parse(String(line)));
        this.#changed.notify();
        done();
      },
    });
    const publish = (news: readonly MaterialNews[]) => {
      this.told.push(news);
      this.#changed.notify();
    };
    this.keeper = new MaterialKeeper(settings, publish, pino({ level: 'debug' }, log));
  }

  /** What the workers know of a material: undefined where nobody told them. */
  valueOf(name: string): string | null | undefined {
    return this.told.flat().findLast((news) => news.name === name)?.value;
  }

  /** Waits until the workers know this of it. */
  async untilTold(name: string, value: string | null | undefined): Promise<void> {
    const isTold = () => {
      const news = this.told.flat().findLast((one) => one.name === name);
      return news !== undefined && news.value === value ? true : undefined;
    };
    await this.#changed.waitFor(isTold, 10_000, () => JSON.stringify([this.told, this.lines]));
  }

  /** Waits for a line of the log whose message begins so. */
  untilLogged(beginning: string): Promise<LogLine> {
    return this.#changed.waitFor(
      () => this.lines.find(({ msg }) => msg.startsWith(beginning)),
      10_000,
      () => JSON.stringify(this.lines),
    );
  }
}

/** Begins to keep what a configuration needs; everything goes with the test. */
export async function keepMaterials(
  owner: TestOwner,
  configuration: Partial<Configuration>,
  settings: Partial<MaterialSettings> = {},
): Promise<KeptMaterials> {
  const stateDirectory = settings.stateDirectory ?? join(await createTemporaryDirectory(owner), 'state');
  const kept = new KeptMaterials({
    allowedAddresses: [],
    environment: {},
    pollIntervalMs: 50,
    ...settings,
    stateDirectory,
  });
  owner.teardown(() => kept.keeper.close());
  kept.keeper.begin({ ...EMPTY_CONFIGURATION, ...configuration });
  return kept;
}

/** An issuer whose keys are where `source` says. */
export function issuerWith(source: Partial<Issuer>): Issuer {
  return { issuer: 'https://idp.test/', audience: ['orders'], algorithms: ['ES256'], ...source };
}

export function putIssuer(id: string, source: Partial<Issuer>): Operation {
  return { op: 'put', kind: 'issuer', id, value: issuerWith(source) };
}

export function deleteIssuer(id: string): Operation {
  return { op: 'delete', kind: 'issuer', id };
}

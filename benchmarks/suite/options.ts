/** The command line of `npm run bench`. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  readonly help: boolean;
  /** Names of workloads; null: all. */
  readonly only: readonly string[] | null;
  /** Names of those in the field that take part; null: all. */
  readonly contenders: readonly string[] | null;
  /** How many bursts each entrant gets, after one that warms up. */
  readonly rounds: number;
  /** No workload gets more rounds than others. */
  readonly quick: boolean;
  /** Of a burst. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly pauseMs: number;
  readonly jsonFile: string;
  readonly writeDocs: boolean;
}

/** A whole run takes less than ten minutes with it. */
const USUAL = { rounds: 3, seconds: 1.5, warmUpSeconds: 0.7, pauseMs: 150 };
/** Enough to see that all works; such figures are no good for anything else. */
const QUICK = { rounds: 1, seconds: 0.4, warmUpSeconds: 0.2, pauseMs: 20 };

export const HELP = `npm run bench -- [options]

  --only NAME[,NAME]  these workloads; all are listed below
  --contenders NAME[,NAME]
                      of the field that most workloads share, these only, such as gateway,nginx
  --rounds N          bursts of each contender (${USUAL.rounds})
  --seconds N         of a burst (${USUAL.seconds}; CPU time is counted in ticks of 10 ms: do not take much less)
  --json FILE         where the figures go (a file in the system's temporary directory)
  --write-docs        put tables and plot into docs/; needs a run of all workloads, and not a quick one
  --quick             one short round, to see that all works
  --help

Workloads:
`;

/** @throws TypeError for options that there are not, RangeError for values that make no sense */
export function parseOptions(words: readonly string[], workloadNames: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const usual = values.quick ? QUICK : USUAL;
  const only = values.only?.split(',') ?? null;
  const unknown = only?.filter((name) => !workloadNames.includes(name)) ?? [];
  if (unknown.length > 0) throw new RangeError(`no such workload: ${unknown.join(', ')}`);
  const contenders = values.contenders?.split(',') ?? null;
  if (values['write-docs'] && (values.quick || only !== null || contenders !== null)) {
    throw new RangeError('--write-docs needs a whole run: without --only, --contenders and --quick');
  }
  return {
    help: values.help,
    only,
    contenders,
    quick: values.quick,
    rounds: Math.ceil(positive('--rounds', values.rounds, usual.rounds)),
    seconds: positive('--seconds', values.seconds, usual.seconds),
    warmUpSeconds: usual.warmUpSeconds,
    pauseMs: usual.pauseMs,
    jsonFile: values.json ?? join(tmpdir(), 'fengling-gateway-benchmarks.json'),
    writeDocs: values['write-docs'],
  };
}

function positive(flag: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${flag} has to be a number above 0`);
  return value;
}

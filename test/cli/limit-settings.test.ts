/** The flags of `gateway start` that bound what clients may do: their defaults, ranges and variables. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import t, { type Test } from 'tap';
import {
  addLimitOptions,
  connectionLimitsOf,
  type LimitOptions,
  listenerLimitsOf,
} from '../../lib/cli/limit-settings.ts';
import { DEFAULT_LISTENER_LIMITS } from '../../lib/ipc/protocol.ts';

function parse(...words: readonly string[]): LimitOptions {
  const command = addLimitOptions(new Command('start'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(words, { from: 'user' });
  return command.opts<LimitOptions>();
}

/** What is said of words that cannot be. */
function complaintOf(...words: readonly string[]): string {
  try {
    parse(...words);
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
  return 'no complaint';
}

function setVariable(t: Test, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  t.teardown(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** Flag, variable, smallest and largest value. */
const FLAGS = [
  ['--headers-timeout-ms', 'GATEWAY_HEADERS_TIMEOUT_MS', 100, 3_600_000],
  ['--keep-alive-timeout-ms', 'GATEWAY_KEEP_ALIVE_TIMEOUT_MS', 100, 3_600_000],
  ['--max-header-bytes', 'GATEWAY_MAX_HEADER_BYTES', 1_024, 65_536],
  ['--max-header-count', 'GATEWAY_MAX_HEADER_COUNT', 8, 2_000],
  ['--max-target-bytes', 'GATEWAY_MAX_TARGET_BYTES', 64, 65_536],
  ['--max-requests-per-connection', 'GATEWAY_MAX_REQUESTS_PER_CONNECTION', 0, 1_000_000_000],
  ['--min-bytes-per-second', 'GATEWAY_MIN_BYTES_PER_SECOND', 0, 1_000_000_000],
  ['--max-event-loop-lag-ms', 'GATEWAY_MAX_EVENT_LOOP_LAG_MS', 0, 60_000],
  ['--max-connections', 'GATEWAY_MAX_CONNECTIONS', 0, 10_000_000],
  ['--max-connections-per-address', 'GATEWAY_MAX_CONNECTIONS_PER_ADDRESS', 0, 10_000_000],
] as const;

/** All settings together, by the words of a command line. */
const settingsOf = (...words: readonly string[]) => {
  const options = parse(...words);
  return [...Object.values(listenerLimitsOf(options)), ...Object.values(connectionLimitsOf(options))];
};

t.test('without a flag the defaults hold', async (t) => {
  t.same(listenerLimitsOf(parse()), DEFAULT_LISTENER_LIMITS);
  t.same(connectionLimitsOf(parse()), { total: 65_536, perAddress: 0 });
});

t.test('every flag sets its own limit, and so does its variable', async (t) => {
  const standard = settingsOf();
  t.equal(standard.length, FLAGS.length);
  for (const [index, [flag, variable, smallest, largest]] of FLAGS.entries()) {
    for (const value of [smallest, largest]) {
      const expected = standard.with(index, value);
      t.same(settingsOf(flag, String(value)), expected, flag);
      await t.test(variable, async (t) => {
        setVariable(t, variable, String(value));
        t.same(settingsOf(), expected);
        t.same(settingsOf(flag, String(standard[index])), standard, 'the flag goes first');
      });
    }
  }
});

t.test(
  'docs/operating.md lists every flag with its default, and its variable follows from its name',
  async (t) => {
    const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(--(?:headers|keep-alive|m(?:ax|in))-[a-z-]+) N` \| `(\d+)` \|/gm)];
    const standard = settingsOf();
    t.same(
      rows.map(([, flag, value]) => [flag, Number(value)]),
      FLAGS.map(([flag], index) => [flag, standard[index]]),
    );
    for (const [flag, variable] of FLAGS)
      t.equal(variable, `GATEWAY_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`);
  },
);

t.test('what is out of range, or no integer, is refused with the range', async (t) => {
  for (const [flag, , smallest, largest] of FLAGS) {
    for (const value of [
      String(smallest - 1),
      String(largest + 1),
      '1.5',
      '1e3',
      '0x400',
      'many',
      ' 1024',
      '',
    ]) {
      const complaint = complaintOf(flag, value);
      t.match(complaint, flag, `${flag} ${value}`);
      t.match(complaint, `an integer from ${smallest} to ${largest}`);
    }
  }
});

/**
 * Measures what a rate limit costs a request, and what a flood of distinct keys costs a worker:
 *
 *     node --expose-gc benchmarks/rate-limit.ts
 *
 * "one key" is a limit of the whole route, "known keys" are clients that come again, "new keys" is the flood.
 */
import type { RateDemand } from '../lib/core/policy/rate-demand.ts';
import { RateLedger } from '../lib/core/policy/rate-ledger.ts';
import { RateLimitTable } from '../lib/core/policy/rate-limit-table.ts';
import type { BucketRule } from '../lib/core/policy/token-bucket.ts';
import { keyedRateHash } from '../lib/proxy/policies/rate-key-hash.ts';
import { figure, formatTable, percentile } from './support/figures.ts';

const RULE: BucketRule = { burst: 1_000_000, tokensPerMs: 0.001 };
const ROUNDS = 5;
const KNOWN_KEYS = 10_000;
const FLOOD_KEYS = 1_000_000;
const PRESSED_KEYS = 1_000;
const WORKERS = 16;

const collectGarbage = globalThis.gc ?? (() => {});

function createTable(): RateLimitTable {
  return new RateLimitTable({ defaultShare: 0.5, hash: keyedRateHash('benchmark'), salt: 0x9e3779b9 });
}

function request(table: RateLimitTable, key: string): void {
  const bucket = table.find(key, RULE, performance.now());
  if (bucket.hasRoom) bucket.take();
  table.countRequest(bucket);
}

/** Nanoseconds of one of `count` requests, in the best of several rounds. */
function measure(count: number, keyOf: (index: number) => string): number {
  let best = Number.POSITIVE_INFINITY;
  const table = createTable();
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let index = 0; index < count; index += 1) request(table, keyOf(index));
    best = Math.min(best, ((performance.now() - startMs) * 1e6) / count);
    table.takeDemands(performance.now());
  }
  return best;
}

/** As the policy makes a key: from the prefix of the limit and what the request brings. */
const addresses = Array.from({ length: KNOWN_KEYS }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
const knownKey = (index: number) => `orders #1 address ${addresses[index % KNOWN_KEYS]}`;

function measureFlood() {
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  const table = createTable();
  const startMs = performance.now();
  for (let index = 0; index < FLOOD_KEYS; index += 1)
    request(table, `orders #1 address ${index.toString(36)}`);
  const nanoseconds = ((performance.now() - startMs) * 1e6) / FLOOD_KEYS;
  const reportStartMs = performance.now();
  table.takeDemands(performance.now());
  const reportMs = performance.now() - reportStartMs;
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - heapBefore;
  return [
    figure('new keys, ns a request', nanoseconds),
    figure('buckets after a million keys', table.size),
    figure('MB of heap after a million keys', bytes / 1e6),
    figure('bytes a bucket', bytes / table.size),
    figure('longest report, ms', reportMs),
  ];
}

/** What the primary does with a full report of every worker. */
function measureLedger() {
  const ledger = new RateLedger(1);
  const workers = Array.from({ length: WORKERS }, (_, index) => index);
  const members = { workers, instances: 2, hearsOthers: true, defaultShare: 1 / (2 * WORKERS) };
  const demands: RateDemand[] = Array.from({ length: PRESSED_KEYS }, (_, index) => [
    index,
    1 + (index % 7),
    0,
    100,
    1,
  ]);
  const notings: number[] = [];
  const settlings: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const startMs = performance.now();
    for (const worker of workers) ledger.noteWorker(worker, demands, round * 500);
    const notedMs = performance.now();
    ledger.settle(members, round * 500);
    notings.push(notedMs - startMs);
    settlings.push(performance.now() - notedMs);
  }
  return [
    figure(`${WORKERS} reports of ${PRESSED_KEYS} keys, longest, ms`, Math.max(...notings)),
    figure('one settlement, longest, ms', Math.max(...settlings)),
    figure('one settlement, median, ms', percentile(settlings, 50)),
  ];
}

console.log(
  formatTable('Rate limits', [
    figure(
      'one key, ns a request',
      measure(1_000_000, () => 'orders #1'),
    ),
    figure('known keys, ns a request', measure(1_000_000, knownKey)),
    ...measureFlood(),
    ...measureLedger(),
  ]),
);

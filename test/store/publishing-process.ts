/**
 * A process that writes to a file store, for tests that kill it or limit it.
 *
 * `until-killed DIR`: publishes without end, and prints each revision once it is safe.
 * `hold DIR`: opens the store, prints `open`, and waits.
 * `file-limit DIR`: publishes a small change, one that is too large for the limit on file sizes that the
 * parent has set, and a small one again; prints the outcomes and the length
 * of the log after each.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { FileStore } from '../../lib/store/file-store.ts';
import { changeOf, putCluster } from './contract.ts';

const [mode, directory] = process.argv.slice(2);
if (mode === undefined || directory === undefined) throw new Error('usage: publishing-process MODE DIR');

if (mode === 'until-killed') {
  const store = await FileStore.open(directory, { compactAfterChanges: 7, keptLogs: 1_000 });
  for (let index = 0; ; index += 1) {
    const { revision } = await store.publish(changeOf([putCluster(`c${index % 10}`, index + 1)]));
    process.stdout.write(`${revision}\n`);
  }
}

if (mode === 'hold') {
  await FileStore.open(directory);
  process.stdout.write('open\n');
  setInterval(() => {}, 60_000);
}

if (mode === 'file-limit') {
  // A process without a handler of its own would be ended by what watches it for coverage.
  process.on('SIGXFSZ', () => {});
  const store = await FileStore.open(directory);
  const outcomes: unknown[] = [];
  for (const message of ['small', 'x'.repeat(12_000_000), 'small again']) {
    const outcome = store.publish(changeOf([putCluster(`c${message.length}`)], { message }));
    outcomes.push({
      result: await outcome.then(
        (head) => head.revision,
        (error: Error) => error.message,
      ),
      logLength: statSync(join(directory, 'changes.log')).size,
    });
  }
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  await store.close();
}

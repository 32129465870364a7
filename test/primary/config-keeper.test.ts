/** The keeper on a real file, where a change must not be made of what is none. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import t from 'tap';
import type { Delta } from '../../lib/core/config/change.ts';
import type { Problem } from '../../lib/core/config/problem.ts';
import { ConfigKeeper, NoConfigurationError } from '../../lib/primary/config-keeper.ts';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

const CLUSTERS = 'clusters: { one: { destinations: { d: { url: "http://127.0.0.1:1" } } } }\n';
const routed = (path: string) => `${CLUSTERS}routes: { r: { match: { path: "${path}" }, cluster: one } }\n`;

async function openKeeper(owner: TestOwner, text: string) {
  const directory = await createTemporaryDirectory(owner);
  const file = join(directory, 'gateway.yaml');
  await writeFile(file, text);
  const store = new ConfigFileStore(file);
  const deltas: Delta[] = [];
  const refusals: (readonly Problem[])[] = [];
  const changed = new ChangeSignal();
  const keeper = new ConfigKeeper(
    store,
    new LastGoodFile(directory),
    {
      onDelta: (delta) => {
        deltas.push(delta);
        changed.notify();
      },
      onRefused: (problems) => {
        refusals.push(problems);
        changed.notify();
      },
    },
    pino({ level: 'silent' }),
  );
  owner.teardown(() => keeper.close());
  /** Saves, and waits until the store has noticed the new content. */
  const save = async (content: string) => {
    let hinted = false;
    store.watch(() => {
      hinted = true;
      changed.notify();
    });
    await writeFile(file, content);
    await waitFor(() => hinted);
  };
  const waitFor = (condition: () => boolean) =>
    changed.waitFor(
      () => (condition() ? true : undefined),
      10_000,
      () => `${deltas.length} deltas, ${refusals.length} refusals`,
    );
  return { keeper, deltas, refusals, save, waitFor, file, directory };
}

t.test('a text that changes without its content is no change', async (t) => {
  const { keeper, deltas, save } = await openKeeper(t, routed('/a'));
  await keeper.start();
  t.equal(deltas.length, 1);
  const { head } = keeper.current;
  await save(`# a comment, and the keys in another order\n${routed('/a').split('\n').reverse().join('\n')}`);
  // Closing waits for the reading that the save has started.
  await keeper.close();
  t.equal(deltas.length, 1);
  t.same(keeper.current.head, head);
});

t.test('each change names the one it was made on, and holds nothing but the difference', async (t) => {
  const { keeper, deltas, save, waitFor } = await openKeeper(t, routed('/a'));
  await keeper.start();
  await save(routed('/b'));
  await waitFor(() => deltas.length === 2);
  const [first, second] = deltas;
  t.match([first?.revision, second?.revision], [1, 2]);
  t.equal(second?.parent, first?.id);
  t.match(second?.operations, [{ op: 'put', kind: 'route', id: 'r', value: { match: { path: '/b' } } }]);
  t.equal(second?.operations.length, 1);
});

t.test('going back to an earlier content is a new change with an id of its own', async (t) => {
  const { keeper, deltas, save, waitFor } = await openKeeper(t, routed('/a'));
  await keeper.start();
  for (const [index, path] of ['/b', '/a', '/b'].entries()) {
    await save(routed(path));
    await waitFor(() => deltas.length === index + 2);
  }
  t.same(
    deltas.map(({ revision }) => revision),
    [1, 2, 3, 4],
  );
  t.equal(new Set(deltas.map(({ id }) => id)).size, 4);
});

t.test('a refused save leaves the configuration and its head as they are', async (t) => {
  const { keeper, deltas, refusals, save, waitFor } = await openKeeper(t, routed('/a'));
  await keeper.start();
  const before = keeper.current;
  await save('routes: 3\nclusters: 4\n');
  await waitFor(() => refusals.length === 1);
  t.same(keeper.refused?.map(({ pointer }) => pointer).sort(), ['/clusters', '/routes']);
  t.equal(keeper.current.configuration, before.configuration);
  t.same([keeper.current.head, deltas.length], [before.head, 1]);
});

t.test('a refused file without a last good one cannot be started from', async (t) => {
  const { keeper, directory } = await openKeeper(t, 'routes: 3\n');
  await t.rejects(keeper.start(), NoConfigurationError);
  await t.rejects(readFile(join(directory, 'last-good.json')), { code: 'ENOENT' }, 'and nothing was saved');
});

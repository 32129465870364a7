/** The keeper on a real file, where a change must not be made of what is none. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatProblem } from '../../lib/core/config/problem.ts';
import { NoConfigurationError } from '../../lib/primary/config-keeper.ts';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { followStore } from './followed-store.ts';

const CLUSTERS = 'clusters: { one: { destinations: { d: { url: "http://127.0.0.1:1" } } } }\n';
const routed = (path: string) => `${CLUSTERS}routes: { r: { match: { path: "${path}" }, cluster: one } }\n`;

async function followFile(owner: TestOwner, text: string, directory?: string) {
  const place = directory ?? (await createTemporaryDirectory(owner));
  const file = join(place, 'gateway.yaml');
  await writeFile(file, text);
  const store = new ConfigFileStore(file);
  owner.teardown(() => store.close());
  const followed = await followStore(owner, store, place);
  /** Saves, and waits until it is read: the store would notice by itself, a little later. */
  const save = async (content: string) => {
    await writeFile(file, content);
    await followed.follower.sync();
  };
  return { ...followed, save, place, store };
}

t.test('the first configuration counts as revision 1', async (t) => {
  const { keeper, follower, deltas } = await followFile(t, routed('/a'));
  t.same([keeper.hasConfiguration, keeper.head.revision], [false, 0]);
  await follower.start();
  t.same([keeper.hasConfiguration, keeper.head.revision, deltas.length], [true, 1, 1]);
  t.match(deltas[0], { revision: 1, parent: 'empty', operations: [{ kind: 'cluster' }, { kind: 'route' }] });
  t.ok(keeper.chain.has(keeper.head));
});

t.test('a saved file is taken without being asked for', async (t) => {
  const { keeper, follower, deltas, place, waitFor } = await followFile(t, routed('/a'));
  await follower.start();
  await writeFile(join(place, 'gateway.yaml'), routed('/b'));
  await waitFor(() => deltas.length === 2);
  t.equal(keeper.head.revision, 2);
});

t.test('a text that changes without its content is no change', async (t) => {
  const { keeper, follower, deltas, save } = await followFile(t, routed('/a'));
  await follower.start();
  const { head } = keeper;
  await save(`# a comment, and the keys in another order\n${routed('/a').split('\n').reverse().join('\n')}`);
  t.equal(deltas.length, 1);
  t.same(keeper.head, head);
});

t.test('each change names the one it was made on, and holds nothing but the difference', async (t) => {
  const { follower, deltas, keeper, save } = await followFile(t, routed('/a'));
  await follower.start();
  await save(routed('/b'));
  const [first, second] = deltas;
  t.match([first?.revision, second?.revision], [1, 2]);
  t.equal(second?.parent, first?.id);
  t.match(second?.operations, [{ op: 'put', kind: 'route', id: 'r', value: { match: { path: '/b' } } }]);
  t.equal(second?.operations.length, 1);
  t.ok(keeper.chain.holds(keeper.head, { revision: 1, id: first?.id ?? '' }), 'and holds the one before');
});

t.test('going back to an earlier content is a new change with an id of its own', async (t) => {
  const { follower, deltas, stepBacks, save } = await followFile(t, routed('/a'));
  await follower.start();
  for (const path of ['/b', '/a', '/b']) await save(routed(path));
  t.same(
    deltas.map(({ revision }) => revision),
    [1, 2, 3, 4],
  );
  t.equal(new Set(deltas.map(({ id }) => id)).size, 4);
  t.same(stepBacks, []);
});

t.test('a refused save leaves the configuration and its head as they are', async (t) => {
  const { keeper, follower, deltas, refusals, save } = await followFile(t, routed('/a'));
  await follower.start();
  const before = keeper.current;
  await save('routes: 3\nclusters: 4\n');
  t.same(keeper.refused?.problems.map(({ pointer }) => pointer).sort(), ['/clusters', '/routes']);
  t.same([keeper.refused?.head, refusals.length], [null, 1]);
  t.equal(keeper.current.configuration, before.configuration);
  t.same([keeper.head, deltas.length], [before.head, 1]);
  await save('routes: 3\nclusters: 5\n');
  t.equal(refusals.length, 2, 'each save is answered');
});

t.test(
  'a file that is good again takes the refusal away, also where it is the one that is served',
  async (t) => {
    const { keeper, follower, deltas, logged, save } = await followFile(t, routed('/a'));
    await follower.start();
    await save('routes: 3\n');
    await save(routed('/a'));
    t.same([keeper.refused, deltas.length], [null, 1]);
    t.match(logged.at(-1), { msg: 'configuration accepted again' });
  },
);

t.test('an emptied file takes no routes away, an empty list of routes does', async (t) => {
  const { keeper, follower, routes, save } = await followFile(t, routed('/a'));
  await follower.start();
  await save('');
  t.match(keeper.refused?.problems.map(formatProblem), [/the document is empty.*routes: \{\}/]);
  t.same(routes(), ['r']);
  await save('routes: {}\n');
  t.same([keeper.refused, routes(), keeper.head.revision], [null, [], 2]);
  await save('');
  t.same([keeper.refused, keeper.head.revision], [null, 2], 'nothing is served that it could take away');
});

t.test('a file that is no YAML, or not there, is refused with the reason', async (t) => {
  const { keeper, follower, save } = await followFile(t, routed('/a'));
  await follower.start();
  await save('routes: [\n');
  t.equal(keeper.refused?.problems.length, 1);
  t.match(keeper.head.revision, 1);
});

t.test('what is served from a warning on is said, once a change', async (t) => {
  const { follower, logged, save } = await followFile(t, routed('/a'));
  await follower.start();
  const unused = '{ destinations: { d: { url: "http://127.0.0.1:1" } } }';
  const shadowed = `clusters: { one: ${unused} }\nroutes:\n  a: { match: { path: "/x" }, cluster: one, order: 1 }\n  b: { match: { path: "/{**rest}" }, cluster: one, order: 0 }\n`;
  await save(shadowed);
  await save(shadowed);
  t.equal(logged.filter(({ msg }) => msg === 'configuration has warnings').length, 1);
});

t.test('the last good configuration is gone on from', async (t) => {
  const first = await followFile(t, routed('/a'));
  await first.follower.start();
  await first.save(routed('/b'));
  const { head, configuration } = first.keeper.current;
  const source = first.store.source;
  await new LastGoodFile(first.place).save({ source, head, configuration });

  const second = await followFile(t, routed('/b'), first.place);
  t.equal(await second.keeper.loadLastGood(), true);
  t.same(second.keeper.head, head);
  t.same(second.routes(), ['r']);
  t.ok(second.keeper.chain.has(head));
  await second.follower.start();
  t.same([second.deltas.length, second.keeper.head], [0, head], 'the same content is no change');
  await second.save(routed('/c'));
  t.match(second.keeper.head, { revision: head.revision + 1, parent: head.id });
});

t.test('without a last good configuration there is nothing to go on from', async (t) => {
  const { keeper } = await followFile(t, routed('/a'));
  t.equal(await keeper.loadLastGood(), false);
  t.equal(keeper.hasConfiguration, false);
});

t.test('a refused file with nothing before it is no configuration, and nothing is saved', async (t) => {
  const { keeper, follower, directory } = await followFile(t, 'routes: 3\n');
  await follower.start();
  t.same([keeper.hasConfiguration, keeper.refused?.problems.length], [false, 1]);
  await t.rejects(readFile(join(directory, 'last-good.json')), { code: 'ENOENT' });
  const { message } = new NoConfigurationError('Refused:', keeper.refused?.problems ?? []);
  t.match(message, /^Refused:\n {2}\/routes/, 'and a start that fails for it names every problem');
});

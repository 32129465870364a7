import t from 'tap';
import { Materials } from '../../lib/auth/materials.ts';

/** Materials, and the names that the primary was asked for anew. */
function makeMaterials(): { materials: Materials; asked: string[] } {
  const asked: string[] = [];
  return { materials: new Materials((name) => asked.push(name)), asked };
}

t.test('a material is one object for all who use it, unknown until the primary has spoken', async (t) => {
  const { materials } = makeMaterials();
  const material = materials.get('env:SECRET');
  t.equal(materials.get('env:SECRET'), material);
  t.equal(material.value, undefined);
  materials.take([
    { name: 'env:SECRET', value: 'one' },
    { name: 'file:/key', value: null },
  ]);
  t.equal(material.value, 'one');
  t.equal(materials.get('file:/key').value, null, 'it could not be got');
  materials.take([{ name: 'env:SECRET', value: null }]);
  t.equal(material.value, null);
});

t.test('whoever waits goes on at the next word, all of them', async (t) => {
  const { materials } = makeMaterials();
  const material = materials.get('a');
  const waits = [material.next(), material.next()];
  materials.take([{ name: 'b', value: 'other' }]);
  materials.take([{ name: 'a', value: 'word' }]);
  await Promise.all(waits);
  t.equal(material.value, 'word');
});

t.test(
  'a refresh asks the primary and ends with its answer, not with the word that comes before',
  async (t) => {
    const { materials, asked } = makeMaterials();
    const material = materials.get('jwks:u');
    for (const hasLooked of [true, false]) {
      const refreshed = materials.refresh(material);
      materials.take([{ name: 'jwks:u', value: 'newer' }]);
      materials.settle('jwks:u', hasLooked);
      t.equal(await refreshed, hasLooked);
    }
    t.same(asked, ['jwks:u', 'jwks:u']);
    t.equal(material.value, 'newer');
  },
);

t.test('a primary that answers at once is heard', async (t) => {
  const materials: Materials = new Materials((name) => materials.settle(name, true));
  t.equal(await materials.refresh(materials.get('a')), true);
});

t.test('nobody waits for ever, and a primary that says nothing has not looked', async (t) => {
  const { materials } = makeMaterials();
  const [hasLooked] = await Promise.all([materials.refresh(materials.get('a')), materials.get('a').next()]);
  t.equal(hasLooked, false);
});

t.test('more than a thousand do without', async (t) => {
  const { materials } = makeMaterials();
  const material = materials.get('a');
  const waits = Array.from({ length: 1_000 }, () => material.next());
  // Resolves although nobody says a word: were it to wait, so would the test.
  const first = await Promise.race([material.next().then(() => 'without'), waits[0]?.then(() => 'waited')]);
  t.equal(first, 'without');
  material.settle(false);
  await Promise.all(waits);
});

t.test('what is forgotten begins anew', async (t) => {
  const { materials } = makeMaterials();
  const before = materials.get('a');
  materials.take([{ name: 'a', value: 'old' }]);
  materials.forget(['a', 'never there']);
  t.not(materials.get('a'), before);
  t.equal(materials.get('a').value, undefined);
  materials.settle('never there', true);
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { parseList } from '../../../lib/store/redis/list-parser.ts';

/** So much that it is parsed in pieces. */
function enlarge(list: readonly unknown[]): unknown[] {
  return [...list, 'x'.repeat(140_000), ...list, ['y'.repeat(140_000), { '"]': '}' }], ...list];
}

/** Operations are such lists: of objects alone, in which texts and lists may look like the end of one. */
function enlargeObjects(list: readonly unknown[]): unknown[] {
  const objects = list.map((value) => ({ value, text: '"},{"', nested: [{}, { a: '}' }, {}] }));
  const filled = (filling: unknown) => ({ filling, end: 'x'.repeat(140_000) });
  return [
    ...objects,
    filled([{}, 'z'.repeat(140_000), {}, {}]),
    ...objects,
    filled('},{'),
    filled({}),
    ...objects,
  ];
}

/** As a text: what is compared is long, and would be shown whole where it differs. */
async function outcomeOf(parse: () => unknown): Promise<unknown> {
  try {
    return createHash('sha256')
      .update(JSON.stringify(await parse()))
      .digest('hex');
  } catch (error) {
    return (error as Error).constructor;
  }
}

t.test('long and short lists are parsed as JSON.parse does', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.boolean(), fc.boolean(), async (list, isLong, isSpaced) => {
      const text = JSON.stringify(isLong ? enlarge(list) : list, null, isSpaced ? 1 : 0);
      t.equal(await outcomeOf(() => parseList(text)), await outcomeOf(() => JSON.parse(text)));
    }),
    { numRuns: 100 },
  );
});

t.test('a long list of objects is parsed as JSON.parse does', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), async (list) => {
      const text = JSON.stringify(enlargeObjects(list));
      t.equal(await outcomeOf(() => parseList(text)), await outcomeOf(() => JSON.parse(text)));
    }),
    { numRuns: 50 },
  );
});

for (const enlarged of [enlarge, enlargeObjects])
  t.test('a text that JSON.parse refuses is refused, also in pieces', async (t) => {
    const intact = JSON.stringify(enlarged([{ a: '\\"' }, [1, 2], 'b,c']));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom('', ',', ']', '[', '"', '}', '{', ':', '\\', 'x', ' ', '1'),
        fc.boolean(),
        async (position, character, isReplaced) => {
          // Most of the text is filling: the damage is to be near its structure.
          const marks = [...intact.matchAll(/[^xyz]/g)].map(({ index }) => index);
          const at = marks[position % marks.length] ?? 0;
          const text = intact.slice(0, at) + character + intact.slice(isReplaced ? at + 1 : at);
          t.strictSame(
            await outcomeOf(() => parseList(text)),
            await outcomeOf(() => JSON.parse(text)),
            `${at}${character}`,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

t.test('a list that is long and broken at its ends is refused', async (t) => {
  const long = `"${'x'.repeat(140_000)}"`;
  for (const text of [
    `${long}]`,
    `[${long}`,
    `[${long}]]`,
    `[${long},]`,
    `[,${long}]`,
    `[${long},,${long}]`,
    `{"a":${long}}`,
    long,
  ]) {
    t.equal(await outcomeOf(() => parseList(text)), SyntaxError, text.replaceAll('x', ''));
  }
  t.strictSame(await parseList(` [ ${' '.repeat(140_000)} ] `), []);
});

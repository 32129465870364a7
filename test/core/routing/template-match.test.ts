import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  countSegments,
  findSegmentStart,
  matchTemplateFrom,
} from '../../../lib/core/routing/template-match.ts';

const match = (template: string, path: string) => matchTemplateFrom(template, 1, path, 1);

/** The same by segments, as the rules read. */
function matchSegments(templateSegments: readonly string[], pathSegments: readonly string[]): boolean {
  const [wanted, ...wantedAfter] = templateSegments;
  const [segment, ...segmentsAfter] = pathSegments;
  if (wanted?.startsWith('{**')) {
    return true;
  }
  if (wanted === undefined || segment === undefined) {
    return wanted === segment;
  }
  const isMatch = wanted.startsWith('{') ? segment !== '' : wanted === segment;
  return isMatch && matchSegments(wantedAfter, segmentsAfter);
}

t.test('a trailing slash in one text alone is no match', async (t) => {
  t.ok(match('/orders', '/orders'));
  t.ok(match('/orders/', '/orders/'));
  t.notOk(match('/orders', '/orders/'));
  t.notOk(match('/orders/', '/orders'));
  t.notOk(match('/{a}', '/x/'));
  t.notOk(match('/{a}/', '/x'));
});

t.test('a parameter takes one segment that is not empty', async (t) => {
  t.ok(match('/{a}', '/x'));
  t.notOk(match('/{a}', '/'));
  t.notOk(match('/{a}', '/x/y'));
  t.notOk(match('/x/{a}', '/x'));
});

t.test('a rest takes anything from there on, also nothing', async (t) => {
  for (const path of ['/orders', '/orders/', '/orders/x', '/orders/x/y/']) {
    t.ok(match('/orders/{**rest}', path), path);
  }
  t.notOk(match('/orders/{**rest}', '/orders-old'));
  t.notOk(match('/orders/{**rest}', '/order'));
  t.ok(match('/{a}/{**rest}', '/x'));
});

t.test('a segment starts behind its slash, one behind the end where there is none', async (t) => {
  t.equal(findSegmentStart('/ab/c', 0), 1);
  t.equal(findSegmentStart('/ab/c', 1), 4);
  t.equal(findSegmentStart('/ab/c', 2), 6);
  t.equal(findSegmentStart('/ab/', 1), 4);
});

t.test('comparing texts answers as comparing segments does, from any segment on', async () => {
  const pathSegment = fc.constantFrom('a', 'b', 'ab');
  const templateSegment = fc.constantFrom('a', 'b', 'ab', '{p}');
  const pathEnd = fc.constantFrom<readonly string[]>([], ['']);
  const templateEnd = fc.constantFrom<readonly string[]>([], [''], ['{**r}']);
  fc.assert(
    fc.property(
      fc.tuple(fc.array(pathSegment, { minLength: 1, maxLength: 4 }), pathEnd),
      fc.tuple(fc.array(templateSegment, { minLength: 1, maxLength: 4 }), templateEnd),
      fc.nat(4),
      ([path, slash], [template, end], from) => {
        const pathSegments = [...path, ...slash];
        const templateSegments = [...template, ...end];
        const start = Math.min(from, pathSegments.length, templateSegments.length);
        const pathText = `/${pathSegments.join('/')}`;
        const templateText = `/${templateSegments.join('/')}`;
        assert.equal(
          matchTemplateFrom(
            templateText,
            findSegmentStart(templateText, start),
            pathText,
            findSegmentStart(pathText, start),
          ),
          matchSegments(templateSegments.slice(start), pathSegments.slice(start)),
          `${templateText} and ${pathText} from segment ${start}`,
        );
      },
    ),
    { numRuns: 3_000 },
  );
});

t.test('the segments before a start are counted, also where it is behind the end', async () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'bc', '{id}', '{**rest}'), { minLength: 1 }), (parts) => {
      const text = `/${parts.join('/')}`;
      return [...parts, ''].every((_, index) => countSegments(text, findSegmentStart(text, index)) === index);
    }),
    { numRuns: 100 },
  );
});

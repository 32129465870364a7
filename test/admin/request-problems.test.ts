/** What is said of bodies and queries that cannot be used. */
import t from 'tap';
import { startAdmin } from './started-admin.ts';

const { call } = await startAdmin(t);

t.test('only the first problems are named, and nothing long is repeated', async (t) => {
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1]));
  const many = await call('POST', 'health', { body: { reports: [], ...keys } });
  t.same([many.status, JSON.parse(many.text).problems.length], [400, 20]);
  const headers = Array.from({ length: 100 }, () => 1);
  const inHeaders = await call('POST', 'explain', { body: { method: 'GET', url: '/', headers } });
  t.same([inHeaders.status, JSON.parse(inHeaders.text).problems.length], [400, 20]);
  const long = 'x'.repeat(50_000);
  const inKey = await call('POST', 'explain', { body: { [long]: 1 } });
  const inHeader = await call('POST', 'explain', {
    body: { method: 'GET', url: '/', headers: { [long]: 1 } },
  });
  const inQuery = await call('PUT', `config?${long.slice(0, 10_000)}=1`, { body: {} });
  for (const { status, text } of [inKey, inHeader, inQuery])
    t.ok(status === 400 && text.length < 2_000, text.slice(0, 500));
});

t.test('a key that reaches a prototype is unknown like any other', async (t) => {
  for (const key of ['constructor', 'prototype', 'toString']) {
    const response = await call('POST', 'explain', { body: { method: 'GET', url: '/', [key]: 1 } });
    t.match(JSON.parse(response.text), {
      status: 400,
      problems: [{ pointer: `/${key}`, message: /unknown key/ }],
    });
  }
  const report = { cluster: 'c', destination: 'd', healthy: true, sequence: 1, constructor: 1 };
  const nested = await call('POST', 'health', { body: { reports: [report] } });
  t.match(JSON.parse(nested.text).problems, [{ pointer: '/reports/0/constructor' }]);
});

t.test('explain says which header cannot be used, and why', async (t) => {
  const cases: readonly (readonly [unknown, string, RegExp, string?])[] = [
    [{ a: 1 }, '/headers/a', /a text, or a list of texts/, 'write it in quotes: "1"'],
    [{ a: '1', 'x/y': ['1', true] }, '/headers/x~1y/1', /a text/, 'write it in quotes: "true"'],
    [{ a: null }, '/headers/a', /a text, or a list of texts/],
    [[['a', '1'], ['a']], '/headers/1', /a name and a value/],
  ];
  for (const [headers, pointer, message, hint] of cases) {
    const response = await call('POST', 'explain', { body: { method: 'GET', url: '/', headers } });
    const { code, problems } = JSON.parse(response.text);
    t.same([response.status, code, problems.length], [400, 'GW_ERR_INVALID_REQUEST', 1]);
    t.match(problems[0], { pointer, message });
    t.equal(problems[0].hint, hint);
  }
});

t.test('explain takes 64 KiB', async (t) => {
  const ask = (size: number) => {
    const headers = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`h${index}`, 'x'.repeat(size)]),
    );
    return call('POST', 'explain', { body: { method: 'GET', url: '/', headers } });
  };
  t.equal((await ask(6_000)).status, 200);
  t.equal((await ask(7_000)).status, 413);
});

t.test('a byte order mark is taken, a key twice is not', async (t) => {
  t.equal((await call('PUT', 'config', { body: '\u00ef\u00bb\u00bf{}' })).status, 200);
  const twice = await call('PUT', 'config', { body: '{"routes":{"a":{},"a":{}}}' });
  t.same([twice.status, JSON.parse(twice.text).code], [400, 'GW_ERR_INVALID_REQUEST']);
  t.match(JSON.parse(twice.text).detail, /at \/routes\/a\): the key is there twice/);
});

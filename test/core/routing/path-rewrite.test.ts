import t from 'tap';
import type { Rewrite } from '../../../lib/core/config/model.ts';
import { compileRewrite } from '../../../lib/core/routing/path-rewrite.ts';
import { parsePathTemplate } from '../../../lib/core/routing/path-template.ts';

function rewrite(rule: Rewrite, path: string, template = '/{**rest}'): string {
  const rewriter = compileRewrite(rule, parsePathTemplate(template).template);
  return rewriter === null ? path : rewriter.rewrite(path);
}

t.test('no rewrite, and one that changes nothing, compile to none', async (t) => {
  for (const rule of [undefined, {}, { removePrefix: '/' }, { addPrefix: '/' }]) {
    t.equal(compileRewrite(rule, null), null);
  }
});

t.test('removePrefix removes whole segments only', async (t) => {
  t.equal(rewrite({ removePrefix: '/orders' }, '/orders/7'), '/7');
  t.equal(rewrite({ removePrefix: '/orders' }, '/orders-old/7'), '/orders-old/7');
  t.equal(rewrite({ removePrefix: '/orders' }, '/other'), '/other');
  t.equal(rewrite({ removePrefix: '/orders/' }, '/orders/7'), '/7', 'its trailing slash means nothing');
  t.equal(rewrite({ removePrefix: '/a/b' }, '/a/b/c/'), '/c/');
});

t.test('what is left always starts with a slash', async (t) => {
  t.equal(rewrite({ removePrefix: '/orders' }, '/orders'), '/');
  t.equal(rewrite({ removePrefix: '/orders' }, '/orders/'), '/');
});

t.test('addPrefix joins with one slash', async (t) => {
  t.equal(rewrite({ addPrefix: '/v2' }, '/orders'), '/v2/orders');
  t.equal(rewrite({ addPrefix: '/v2/' }, '/orders/'), '/v2/orders/');
  t.equal(rewrite({ addPrefix: '/v2' }, '/'), '/v2/');
});

t.test('addPrefix comes after removePrefix, and a path used up leaves no trailing slash', async (t) => {
  t.equal(rewrite({ removePrefix: '/orders', addPrefix: '/v2' }, '/orders/7'), '/v2/7');
  t.equal(rewrite({ removePrefix: '/orders', addPrefix: '/v2' }, '/orders'), '/v2');
  t.equal(rewrite({ removePrefix: '/orders', addPrefix: '/v2' }, '/orders/'), '/v2/');
  t.equal(rewrite({ removePrefix: '/orders', addPrefix: '/v2' }, '/x'), '/v2/x');
});

t.test('set gives the whole path', async (t) => {
  t.equal(rewrite({ set: '/health/' }, '/anything'), '/health/');
});

t.test('a pattern is rendered with the parameters of the path', async (t) => {
  t.equal(rewrite({ pattern: '/v2/{rest}' }, '/orders/a/b', '/orders/{**rest}'), '/v2/a/b');
  t.equal(rewrite({ pattern: '/v2/{**rest}' }, '/orders', '/orders/{**rest}'), '/v2');
  t.equal(rewrite({ pattern: '/{b}/{a}' }, '/1/2', '/{a}/{b}'), '/2/1');
});

t.test('a pattern on a route without a path is the path itself', async (t) => {
  t.equal(compileRewrite({ pattern: '/v2' }, null)?.rewrite('/x/y'), '/v2');
});

t.test('a pattern that does not parse throws with the problem', async (t) => {
  t.throws(() => compileRewrite({ pattern: '/a{b}' }, null), { message: /whole segment/ });
});

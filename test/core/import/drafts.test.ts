/** Sequences of transforms that become one: each step works on what the one before has left. */
import t from 'tap';
import { HeaderTransformDraft } from '../../../lib/core/import/header-transform-draft.ts';
import { PathRewriteDraft } from '../../../lib/core/import/path-rewrite-draft.ts';

function rewriteOf(...steps: readonly ((draft: PathRewriteDraft) => unknown)[]) {
  const draft = new PathRewriteDraft();
  const done = steps.map((step) => step(draft) !== false);
  return { rewrite: draft.toRewrite(), done: done.every(Boolean) };
}

const remove = (prefix: string) => (draft: PathRewriteDraft) => draft.removePrefix(prefix);
const add = (prefix: string) => (draft: PathRewriteDraft) => draft.addPrefix(prefix);
const set = (path: string) => (draft: PathRewriteDraft) => draft.set(path);
const setPattern = (path: string) => (draft: PathRewriteDraft) => draft.setPattern(path);

t.test('path transforms that can be one rewrite', async (t) => {
  t.equal(rewriteOf().rewrite, undefined);
  t.same(rewriteOf(remove('/a'), add('/b')).rewrite, { removePrefix: '/a', addPrefix: '/b' });
  t.same(rewriteOf(add('/b'), add('/a')).rewrite, { addPrefix: '/a/b' });
  t.same(rewriteOf(remove('/x'), add('/a/b'), remove('/A')).rewrite, { removePrefix: '/x', addPrefix: '/b' });
  t.equal(rewriteOf(add('/a'), remove('/a')).rewrite, undefined);
  t.same(rewriteOf(remove('/x'), set('/a/b'), remove('/a'), add('/c')).rewrite, { set: '/c/b' });
  t.same(rewriteOf(set('/ab'), remove('/a')).rewrite, { set: '/ab' });
  t.same(rewriteOf(set('/a'), remove('/a')).rewrite, { set: '/' });
  t.same(rewriteOf(set('/a'), setPattern('/{x}'), add('/p')).rewrite, { pattern: '/p/{x}' });
  t.same(rewriteOf(add('/a/'), add('/')).rewrite, { addPrefix: '/a/' });
});

t.test('those that cannot leave the draft as it was', async (t) => {
  t.same(rewriteOf(remove('/a'), remove('/b')), { rewrite: { removePrefix: '/a' }, done: false });
  t.same(rewriteOf(add('/a'), remove('/b')), { rewrite: { addPrefix: '/a' }, done: false });
  t.same(rewriteOf(setPattern('/{x}'), remove('/b')), { rewrite: { pattern: '/{x}' }, done: false });
});

t.test('several actions on a header become one', async (t) => {
  const draft = new HeaderTransformDraft('request');
  t.equal(draft.toTransform(), undefined);
  draft.set('X-A', '1');
  draft.append('x-a', '2');
  draft.append('X-B', '1');
  draft.append('x-b', '2');
  draft.remove('x-c');
  draft.append('X-C', '1');
  draft.set('x-d', '1');
  draft.remove('X-D');
  draft.set('Host', 'example.com:8080');
  t.same(draft.toTransform(), {
    set: { 'X-A': '1, 2', 'X-C': '1', Host: 'example.com:8080' },
    append: { 'X-B': '1, 2' },
    remove: ['X-D'],
  });
});

t.test('an action that a route cannot take says why and changes nothing', async (t) => {
  const [request, response] = [new HeaderTransformDraft('request'), new HeaderTransformDraft('response')];
  t.match(request.set('a b', '1'), /no usable header name/);
  t.match(request.set('__proto__', '1'), /no usable header name/);
  t.match(request.set('x', 'a\r\nb: c'), /characters that a header cannot hold/);
  t.match(request.set('host', 'a/b'), /no host/);
  t.match(request.remove('Content-Length'), /belongs to the gateway/);
  t.match(response.set('host', 'a'), /cannot set the header host/);
  t.equal(response.append('Set-Cookie', 'a=1'), null);
  t.match(response.append('set-cookie', 'b=2'), /one Set-Cookie only/);
  t.equal(request.toTransform(), undefined);
  t.same(response.toTransform(), { append: { 'Set-Cookie': 'a=1' } });
});

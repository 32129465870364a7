import t from 'tap';
import { importLiteralPath, importPath, importPattern } from '../../../lib/core/import/yarp-path.ts';

t.test('templates of ASP.NET Core become ours', async (t) => {
  for (const [theirs, ours] of [
    ['/', '/'],
    ['/orders', '/orders'],
    ['orders/{id}', '/orders/{id}'],
    ['~/orders/', '/orders/'],
    ['{**catch-all}', '/{**catch_all}'],
    ['/a/{*rest}', '/a/{**rest}'],
    ['/{a-b}/{a_b}', '/{a_b}/{a_b_2}'],
    ['/{1st}', '/{_1st}'],
    ['/a b/ü', '/a%20b/%C3%BC'],
    ['/50%/x?y#z', '/50%25/x%3Fy%23z'],
    ['/{{literal}}', '/%7Bliteral%7D'],
    ["/a:b@c;d=(e)'*!$&+,~", "/a:b@c;d=(e)'*!$&+,~"],
  ] as const) {
    const { value, problem } = importPath(theirs);
    t.same([value?.path, value?.remarks, problem], [ours, [], null], theirs);
  }
});

t.test('what a parameter asked for beyond a segment is remarked', async (t) => {
  for (const [theirs, ours, remark] of [
    ['/users/{id:int}', '/users/{id}', /the constraint of "\{id:int\}" is gone/],
    ['/{id:regex(^a/{{2}}$)}/x', '/{id}/x', /the constraint of/],
    ['/{**rest:nonfile}', '/{**rest}', /the constraint of/],
    ['/users/{id?}', '/users/{id}', /"\{id\?\}" must be there now/],
    ['/{page=1}', '/{page}', /must be there now/],
  ] as const) {
    const { value } = importPath(theirs);
    t.equal(value?.path, ours);
    t.match(value?.remarks, [remark], theirs);
  }
  t.equal(importPath('/{id:int=5}').value?.remarks.length, 2);
  t.equal(importPath('/{id:regex(a=b?)}').value?.remarks.length, 1);
});

t.test('what has no counterpart says why', async (t) => {
  for (const [theirs, why] of [
    ['/{a}-{b}', /parameter beside other text/],
    ['/v{version}', /parameter beside other text/],
    ['/{file}.{ext?}', /parameter beside other text/],
    ['/{', /parameter beside other text/],
    ['/{}', /parameter beside other text/],
    ['/{**rest}/more', /only be the last segment/],
    ['/a//b', /'\/\/' never arrives/],
    ['/a/../b', /never arrives/],
    ['/a\\b', /refused/],
    ['/\ud800', /outside ASCII/],
    [`/${'{'.repeat(5_000)}`, /longer than 2048/],
  ] as const) {
    t.match(importPath(theirs).problem, why, theirs.slice(0, 20));
  }
});

t.test('a pattern takes the parameters of the path, in any letter case', async (t) => {
  const parameters = importPath('/{Tenant}/{**catch-all}').value?.parameters ?? new Map();
  t.equal(importPattern('/v2/{tenant}/{**Catch-All}', parameters).value, '/v2/{Tenant}/{**catch_all}');
  t.equal(importPattern('{catch-all}', parameters).value, '/{**catch_all}');
  t.match(importPattern('/{other}', parameters).problem, /the path has no parameter "other"/);
  t.match(importPattern('/{tenant}.json', parameters).problem, /parameter beside other text/);
});

t.test('a literal path may be escaped already', async (t) => {
  t.equal(importLiteralPath('/a%20b c').value, '/a%20b%20c');
  t.equal(importLiteralPath('api').value, '/api');
  t.equal(importLiteralPath('').value, '/');
  t.match(importLiteralPath('/%41').problem, /write it so/);
  t.match(importLiteralPath('//a').problem, /never arrives/);
});

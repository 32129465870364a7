import t from 'tap';
import { checkOneConsumer, pointersOf } from './findings.ts';

const keyHash = (digit: string) => ({ hash: `sha256:${digit.repeat(64)}` });
const password = (username: string) => ({
  username,
  hash: `scrypt:15:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`,
});

t.test('a consumer that cannot come in is a warning', async (t) => {
  t.same(checkOneConsumer({ scopes: ['read'] }).isValid, true);
  t.same(pointersOf(checkOneConsumer({}).warnings), ['']);
  t.same(checkOneConsumer({ apiKeys: [keyHash('0')] }).warnings, []);
  t.same(checkOneConsumer({ passwords: [password('shop')] }).warnings, []);
});

t.test('the same key twice is a warning', async (t) => {
  const { isValid, warnings } = checkOneConsumer({ apiKeys: [keyHash('0'), keyHash('1'), keyHash('0')] });
  t.ok(isValid);
  t.match(warnings, [{ pointer: '/apiKeys/2', message: 'is the same key as number 0' }]);
});

t.test('the same user name twice is a problem, however it is composed', async (t) => {
  t.ok(checkOneConsumer({ passwords: [password('shop'), password('Shop')] }).isValid);
  const passwords = [password('shop'), password('caf\u00e9'), password('shop'), password('cafe\u0301')];
  t.match(checkOneConsumer({ passwords }).problems, [
    { pointer: '/passwords/2/username', message: /user name of number 0/ },
    { pointer: '/passwords/3/username', message: /user name of number 1/ },
  ]);
});

t.test('keys and passwords themselves are refused, and not quoted', async (t) => {
  const { problems } = checkOneConsumer({
    apiKeys: [{ hash: 'plain-key' }, { hash: `sha256:${'A'.repeat(64)}` }],
    passwords: [{ username: 'a:b', hash: 'plain-password' }],
  });
  t.same(pointersOf(problems).sort(), [
    '/apiKeys/0/hash',
    '/apiKeys/1/hash',
    '/passwords/0/hash',
    '/passwords/0/username',
  ]);
  t.match(problems[0]?.message, /gateway credential api-key/);
  t.notMatch(JSON.stringify(problems), /plain-/);
});

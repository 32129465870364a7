import t from 'tap';
import {
  addNominated,
  CONNECTION,
  CONTENT_LENGTH,
  DROP,
  EXPECT,
  FORWARDED,
  FORWARDED_FOR,
  type HeaderRule,
  HOST,
  KEEP,
  REQUEST_ID,
  requestHeaderRule,
  responseHeaderRule,
  TE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
} from '../../../lib/core/http/header-rules.ts';

const REQUEST_FIELDS: readonly [name: string, rule: HeaderRule][] = [
  ['Accept', KEEP],
  ['Authorization', KEEP],
  ['Connection', CONNECTION],
  ['Keep-Alive', DROP],
  ['Proxy-Connection', DROP],
  ['Proxy-Authorization', DROP],
  ['Upgrade', UPGRADE],
  ['Expect', EXPECT],
  ['HTTP2-Settings', DROP],
  ['TE', TE],
  ['Trailer', TRAILER],
  ['Transfer-Encoding', TRANSFER_ENCODING],
  ['Content-Length', CONTENT_LENGTH],
  ['Host', HOST],
  ['X-Forwarded-For', FORWARDED_FOR],
  ['Forwarded', FORWARDED],
  ['X-Real-IP', FORWARDED],
  ['X-Request-Id', REQUEST_ID],
];

t.test('the rule of a request field does not depend on its case', async (t) => {
  for (const [name, rule] of REQUEST_FIELDS) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      t.equal(requestHeaderRule(spelling), rule, spelling);
      t.equal(requestHeaderRule(spelling), rule, `${spelling}, remembered`);
    }
  }
});

t.test('every X-Forwarded field says who the client is', async (t) => {
  for (const name of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Whatever']) {
    t.equal(requestHeaderRule(name), FORWARDED, name);
  }
});

t.test('a look-alike with other marks is not forwarded', async (t) => {
  for (const name of [
    'X_Real_Ip',
    'x_request_id',
    'Transfer_Encoding',
    'Content_Length',
    'X-Real_IP',
    'X.Consumer.Id',
  ]) {
    t.equal(requestHeaderRule(name), DROP, name);
  }
  for (const name of ['X_Forwarded_For', 'X_Forwarded-Proto', 'X.Forwarded.Host'])
    t.equal(requestHeaderRule(name), FORWARDED, name);
  t.equal(requestHeaderRule('my_own_field'), KEEP);
});

t.test('response fields have rules of their own', async (t) => {
  const fields: readonly [name: string, rule: HeaderRule][] = [
    ['Content-Type', KEEP],
    ['Set-Cookie', KEEP],
    ['Host', KEEP],
    ['X-Forwarded-For', KEEP],
    ['X_Real_Ip', KEEP],
    ['WWW-Authenticate', KEEP],
    ['Connection', CONNECTION],
    ['Keep-Alive', DROP],
    ['Proxy-Connection', DROP],
    ['Proxy-Authenticate', DROP],
    ['Upgrade', DROP],
    ['TE', DROP],
    ['Trailer', TRAILER],
    ['Transfer-Encoding', TRANSFER_ENCODING],
    ['Content-Length', CONTENT_LENGTH],
    ['X-Request-Id', REQUEST_ID],
  ];
  for (const [name, rule] of fields) t.equal(responseHeaderRule(name), rule, name);
});

t.test('more names than are remembered are still classified', async (t) => {
  for (let index = 0; index < 5_000; index++) requestHeaderRule(`X-Random-${index}`);
  t.equal(requestHeaderRule('x-random-4999'), KEEP);
  t.equal(requestHeaderRule('kEEP-aLIVE'), DROP);
});

t.test('Connection nominates fields, but not those that a message means something by', async (t) => {
  t.equal(addNominated('keep-alive', null), null);
  t.equal(addNominated('close', null), null);
  t.equal(addNominated(' Close , , Keep-Alive', null), null);
  t.same(addNominated('X-A, close,x-b ,', null), new Set(['x-a', 'x-b']));
  t.same(addNominated('X-C', new Set(['x-a'])), new Set(['x-a', 'x-c']), 'several fields add up');
  const protectedNames =
    'Content-Length, Transfer-Encoding, Host, Authorization, Cookie, Set-Cookie, X-Forwarded-For, X-Forwarded-Any, ' +
    'X-Real-IP, Forwarded, X-Request-Id, Content-Type, Content-Encoding, Content-Range, Range, Location, Date, Expect';
  t.equal(addNominated(protectedNames, null), null);
});

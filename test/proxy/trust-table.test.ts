import t from 'tap';
import { Materials } from '../../lib/auth/materials.ts';
import type { Operation } from '../../lib/core/config/change.ts';
import { ContentFingerprint } from '../../lib/core/config/fingerprint.ts';
import type { Issuer } from '../../lib/core/config/model.ts';
import { TrustTable } from '../../lib/proxy/trust-table.ts';
import { runAtOnce } from '../../lib/worker/work-queue.ts';

const ISSUER: Issuer = { issuer: 'https://i', audience: ['a'], algorithms: ['HS256'], secretEnv: 'SECRET' };
const CLIENTS = { mode: 'optional', caFile: '/ca', headers: { 'x-client-name': 'subject' } } as const;

function putIssuer(id: string, claimHeaders: Record<string, string> = {}): Operation {
  return { op: 'put', kind: 'issuer', id, value: { ...ISSUER, claimHeaders } };
}

function makeTable(): { table: TrustTable; fingerprint: ContentFingerprint } {
  const fingerprint = new ContentFingerprint();
  return { table: new TrustTable(fingerprint, new Materials(() => {})), fingerprint };
}

function tableWith(...operations: readonly Operation[]): ReturnType<typeof makeTable> {
  const made = makeTable();
  for (const operation of operations) made.table.change(operation);
  return made;
}

t.test(
  'the headers of all issuers and certificates are withheld from clients, as of the last change',
  async (t) => {
    const { table } = tableWith(
      putIssuer('one', { 'x-user-id': 'sub', 'x-tenant': 'tenant' }),
      putIssuer('two', { 'x-user-id': 'sub' }),
      {
        op: 'put',
        kind: 'certificate',
        id: 'a.example',
        value: { certFile: '/c', keyFile: '/k', clientCertificate: CLIENTS },
      },
    );
    const withheld = () =>
      ['x-user-id', 'x-tenant', 'x-client-name', 'x-other'].filter((name) => table.identityHeaders.has(name));
    t.same(withheld(), ['x-user-id', 'x-tenant', 'x-client-name']);
    table.change({ op: 'delete', kind: 'issuer', id: 'one' });
    t.same(withheld(), ['x-user-id', 'x-client-name'], 'another issuer still gives it');
    table.change(putIssuer('two', { 'x-other': 'sub' }));
    t.same(withheld(), ['x-client-name', 'x-other']);
    table.change({ op: 'delete', kind: 'certificate', id: 'a.example' });
    table.change({ op: 'delete', kind: 'issuer', id: 'two' });
    t.ok(table.identityHeaders.isEmpty);
  },
);

t.test('what it holds shows in the fingerprint, and leaves no trace', async (t) => {
  const consumer: Operation = { op: 'put', kind: 'consumer', id: 'one', value: { roles: ['a'] } };
  const { table, fingerprint } = tableWith(putIssuer('one'), consumer);
  const before = String(fingerprint);
  t.not(before, String(makeTable().fingerprint));
  t.equal(String(tableWith(consumer, putIssuer('one')).fingerprint), before, 'in any order');
  table.change(putIssuer('one', { 'x-user-id': 'sub' }));
  t.not(String(fingerprint), before);
  table.change(putIssuer('one'));
  t.equal(String(fingerprint), before);
  for (const kind of ['issuer', 'consumer'] as const) table.change({ op: 'delete', kind, id: 'one' });
  table.change({ op: 'delete', kind: 'issuer', id: 'never there' });
  t.equal(String(fingerprint), String(makeTable().fingerprint));
});

t.test('a copy shares what did not change, and goes its own way', async (t) => {
  const key = `sha256:${'0'.repeat(64)}`;
  const { table, fingerprint } = tableWith(putIssuer('kept', { 'x-user-id': 'sub' }), putIssuer('gone'), {
    op: 'put',
    kind: 'consumer',
    id: 'shop',
    value: { apiKeys: [{ hash: key }], passwords: [] },
  });
  const copy = makeTable();
  runAtOnce(copy.table.copy(table));
  t.equal(String(copy.fingerprint), String(fingerprint));
  t.equal(copy.table.issuer('kept'), table.issuer('kept'), 'tokens that were verified stay so');
  copy.table.change({ op: 'delete', kind: 'issuer', id: 'gone' });
  copy.table.change({ op: 'delete', kind: 'consumer', id: 'shop' });
  t.same([copy.table.issuer('gone'), copy.table.consumers.size], [undefined, 0]);
  t.ok(table.issuer('gone'));
  t.equal(table.consumers.size, 1);
  t.ok(copy.table.identityHeaders.has('X_User_Id'));
});

/** What a name may lead to. The names here are addresses in forms that only the system's resolver understands. */
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIP } from 'node:net';
import t, { type Test } from 'tap';
import { AddressSet } from '../../lib/core/policy/address-ranges.ts';
import { checkLiteralAddress, createGuardedLookup, type ResolveAll } from '../../lib/net/guarded-lookup.ts';

const NONE = new AddressSet([]);
/** 169.254.169.254, as the system reads it too. */
const METADATA_NAMES = ['2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518'];

function resolvingTo(...addresses: string[]): ResolveAll {
  return (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
}

interface Outcome {
  readonly error: NodeJS.ErrnoException | null;
  readonly found: string | LookupAddress[];
  readonly family: number | undefined;
}

function look(host: string, all: boolean, allowed = NONE, resolve?: ResolveAll): Promise<Outcome> {
  return new Promise((done) => {
    const lookup = createGuardedLookup(allowed, resolve);
    lookup(host, { all }, (error, found, family) => done({ error, found, family }));
  });
}

async function listen(t: Test): Promise<number> {
  const server = createServer((socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test(
  'a name of the metadata service is refused however it is written, before a connection is tried',
  async (t) => {
    for (const host of METADATA_NAMES) {
      const socket = connect({ host, port: 80, lookup: createGuardedLookup(NONE) });
      const [error] = await once(socket, 'error');
      t.equal(error.code, 'ERR_ADDRESS_NOT_ALLOWED', host);
      t.match(error.message, new RegExp(`^${host.replaceAll('.', '\\.')} resolves to 169.254.169.254`));
    }
  },
);

t.test('an ordinary name is connected to, tried at several addresses or at one', async (t) => {
  const port = await listen(t);
  for (const autoSelectFamily of [true, false]) {
    const socket = connect({
      host: 'localhost',
      port,
      family: 4,
      autoSelectFamily,
      lookup: createGuardedLookup(NONE),
    });
    const [data] = await once(socket, 'data');
    t.equal(String(data), 'hello');
    t.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  }
});

t.test('only what was checked is connected to: a name is not resolved a second time', async (t) => {
  const port = await listen(t);
  let answers = 0;
  const rebinding: ResolveAll = (host, options, callback) => {
    answers += 1;
    resolvingTo(answers === 1 ? '127.0.0.1' : '169.254.169.254')(host, options, callback);
  };
  const lookup = createGuardedLookup(NONE, rebinding);
  const socket = connect({ host: 'rebinding.test', port, lookup });
  await once(socket, 'data');
  t.same([answers, socket.remoteAddress], [1, '127.0.0.1']);
  socket.destroy();
  const [error] = await once(connect({ host: 'rebinding.test', port, lookup }), 'error');
  t.equal(error.code, 'ERR_ADDRESS_NOT_ALLOWED', 'the next connection is checked anew');
});

t.test('of several addresses those that are restricted are left out', async (t) => {
  const mixed = resolvingTo('169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', '10.0.0.1', 'fd00::1');
  const every = await look('mixed.test', true, NONE, mixed);
  t.same(
    (every.found as LookupAddress[]).map(({ address }) => address),
    ['10.0.0.1', 'fd00::1'],
  );
  t.same(await look('mixed.test', false, NONE, mixed), { error: null, found: '10.0.0.1', family: 4 });
});

t.test('addresses that the settings allow pass', async (t) => {
  const allowed = new AddressSet(['169.254.169.0/24']);
  const { error, found } = await look('2852039166', false, allowed);
  t.same([error, found], [null, '169.254.169.254']);
  const elsewhere = await look('elsewhere.test', false, allowed, resolvingTo('169.254.1.1'));
  t.equal(elsewhere.error?.code, 'ERR_ADDRESS_NOT_ALLOWED');
});

t.test('what cannot be resolved fails as it does without a guard', async (t) => {
  t.match((await look('no-such-host.invalid', true)).error?.code, /^(ENOTFOUND|EAI_AGAIN)$/);
  t.equal((await look('empty.test', true, NONE, resolvingTo())).error?.code, 'ENOTFOUND');
});

t.test('a host that is an address is checked as it stands', async (t) => {
  const restricted = [
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '[::ffff:a9fe:a9fe]',
    'fe80::1%eth0',
    '[fd00:ec2::254]',
  ];
  for (const host of restricted) {
    t.equal(checkLiteralAddress(host, NONE)?.code, 'ERR_ADDRESS_NOT_ALLOWED', host);
  }
  for (const host of ['127.0.0.1', '10.0.0.1', '[::1]', 'metadata.google.internal', '2852039166']) {
    t.equal(checkLiteralAddress(host, NONE), null, host);
  }
  t.equal(checkLiteralAddress('[fe80::7]', new AddressSet(['fe80::/64'])), null);
});

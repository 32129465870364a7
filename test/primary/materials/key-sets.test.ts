/** Keys that are fetched: from a server that does as it should, that does anything else, and that is gone. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import t, { type Test } from 'tap';
import { KeySetFile } from '../../../lib/primary/materials/key-set-file.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { eventually } from '../../helpers/eventually.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { deleteIssuer, issuerWith, type KeptMaterials, keepMaterials } from './kept-materials.ts';
import { type KeyServer, makeKeySet, startKeyServer } from './key-server.ts';

const DAY_MS = 86_400_000;
const FIRST = makeKeySet('first');
const SECOND = makeKeySet('second');

function issuersAt(jwksUrl: string) {
  return { issuers: new Map([['main', issuerWith({ jwksUrl })]]) };
}

/** Keys that are there, and a server that will do something else from now on. */
async function keepFetched(t: Test): Promise<{ kept: KeptMaterials; server: KeyServer }> {
  const server = await startKeyServer(t);
  server.serve(FIRST);
  const kept = await keepMaterials(t, issuersAt(server.url));
  await kept.untilTold(server.material, FIRST);
  return { kept, server };
}

t.test('keys are fetched at the start, without redirect, cache or compression in between', async (t) => {
  const server = await startKeyServer(t);
  let asked: unknown;
  server.answer = (request, response) => {
    asked = request.headers;
    response.end(FIRST);
  };
  const kept = await keepMaterials(t, issuersAt(server.url));
  await kept.untilTold(server.material, FIRST);
  t.match(asked, { accept: 'application/jwk-set+json, application/json', 'accept-encoding': undefined });
  t.same(kept.keeper.problems(), []);
  t.same(kept.keeper.counts(), { current: 1, stale: 0, missing: 0 });
});

t.test('an unknown key causes one fetch, however many ask, and none again for a while', async (t) => {
  const { kept, server } = await keepFetched(t);
  server.serve(SECOND);
  await Promise.all(Array.from({ length: 50 }, () => kept.keeper.refresh(server.material)));
  t.equal(kept.valueOf(server.material), SECOND, 'the answer comes after the keys');
  t.equal(server.requests, 2);
  await kept.keeper.refresh(server.material);
  t.equal(server.requests, 2);
});

t.test('whether the keys were fetched since the question is part of the answer', async (t) => {
  const server = await startKeyServer(t);
  let answer: () => void = () => t.fail('not asked yet');
  const asked = new Promise<void>((resolve) => {
    server.answer = (_, response) => {
      answer = () => response.end(FIRST);
      resolve();
    };
  });
  const kept = await keepMaterials(t, issuersAt(server.url));
  await asked;
  const early = kept.keeper.refresh(server.material);
  answer();
  t.equal(await early, false, 'what was under way already may be older than the key that is missing');
  server.serve(SECOND);
  const [one, other] = [kept.keeper.refresh(server.material), kept.keeper.refresh(server.material)];
  t.equal(await one, true);
  t.equal(await other, false, 'it came later than the look that it waited for');
  t.equal(await kept.keeper.refresh(server.material), false, 'not so soon again');
});

t.test('a fetch that fails says nothing of any key', async (t) => {
  const { kept, server } = await keepFetched(t);
  server.answer = (_, response) => response.writeHead(500).end();
  t.equal(await kept.keeper.refresh(server.material), false);
});

t.test('equal keys are not told again', async (t) => {
  const { kept, server } = await keepFetched(t);
  await kept.keeper.refresh(server.material);
  t.same([server.requests, kept.told.length], [2, 1]);
});

const useless: [string, (server: KeyServer) => void, RegExp][] = [
  [
    'an error',
    (server) => (server.answer = (_, response) => response.writeHead(500).end('secret text')),
    /status 500$/,
  ],
  ['no content', (server) => (server.answer = (_, response) => response.writeHead(204).end()), /status 204$/],
  ['a page', (server) => server.serve('<html>secret text</html>'), /it is not valid JSON$/],
  ['another document', (server) => server.serve('{"issuer":"x"}'), /it is no JWK Set/],
  ['no key', (server) => server.serve('{"keys":[]}'), /it has no usable key/],
  ['a secret', (server) => server.serve('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'), /it has no usable key/],
  [
    'a redirect to the metadata service',
    (server) => {
      const headers = { location: 'http://169.254.169.254/latest/meta-data/' };
      server.answer = (_, response) => response.writeHead(302, headers).end(FIRST);
    },
    /redirect \(302\), which is not followed/,
  ],
  ['a compressed answer', (server) => server.serve(FIRST, { 'content-encoding': 'gzip' }), /is compressed/],
  ['too much at once', (server) => server.serve(FIRST.padEnd(1_048_577)), /larger than 1048576 bytes$/],
  [
    'more and more',
    (server) => {
      server.answer = (_, response) => {
        const send = () => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
        };
        response.on('drain', send);
        send();
      };
    },
    /larger than 1048576 bytes$/,
  ],
  [
    'a broken connection',
    (server) => (server.answer = (request) => request.socket.destroy()),
    /socket hang up/,
  ],
  [
    'half an answer',
    (server) => {
      server.answer = (_, response) => {
        response.writeHead(200, { 'content-length': FIRST.length });
        response.write(FIRST.slice(0, 20), () => response.destroy());
      };
    },
    /aborted/,
  ],
  [
    'something else than HTTP',
    (server) => (server.answer = ({ socket }) => socket.end('SSH-2.0\r\n\r\n')),
    /Parse Error/,
  ],
];

for (const [what, misbehave, problem] of useless) {
  t.test(`the old keys stay where the server answers with ${what}`, async (t) => {
    const { kept, server } = await keepFetched(t);
    misbehave(server);
    await kept.keeper.refresh(server.material);
    const [found] = kept.keeper.problems();
    t.match(found, { name: server.material, problem });
    t.notMatch(JSON.stringify([kept.lines, found]), /secret text/, 'what the server said stays with us');
    t.same(kept.keeper.counts(), { current: 0, stale: 1, missing: 0 });
    t.equal(kept.told.length, 1, 'the workers hear nothing');
  });
}

t.test('a server that hangs, and one that never ends, are given up after five seconds in all', async (t) => {
  const hanging = await startKeyServer(t);
  hanging.answer = () => {};
  const slow = await startKeyServer(t);
  slow.answer = (_, response) => {
    const dripping = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(dripping));
  };
  const kept = await keepMaterials(t, {
    issuers: new Map([
      ['hanging', issuerWith({ jwksUrl: hanging.url })],
      ['slow', issuerWith({ jwksUrl: slow.url })],
    ]),
  });
  await Promise.all([kept.untilTold(hanging.material, null), kept.untilTold(slow.material, null)]);
  for (const { problem } of kept.keeper.problems())
    t.equal(problem, 'there was no whole answer within 5000 ms');
  t.equal(kept.keeper.counts().missing, 2);
});

t.test('a failed fetch is tried again by itself', async (t) => {
  const server = await startKeyServer(t);
  const kept = await keepMaterials(t, issuersAt(server.url));
  await kept.untilTold(server.material, null);
  server.serve(FIRST);
  await kept.untilTold(server.material, FIRST);
  t.same(kept.keeper.problems(), []);
  await kept.untilLogged('materials can be got again');
});

t.test('restricted addresses are not asked, and no address but the allowed ones', async (t) => {
  const urls = [
    'http://169.254.169.254/jwks',
    'http://[::ffff:169.254.169.254]/jwks',
    'http://2852039166/jwks',
  ];
  for (const url of urls) {
    const kept = await keepMaterials(t, issuersAt(url));
    await kept.untilTold(`jwks:${url}`, null);
    t.match(kept.keeper.problems(), [{ problem: /is not connected to: it is link-local/ }], url);
  }
});

t.test('over TLS the server must be one that is trusted', async (t) => {
  const certificate = await createCertificate(t);
  const server = await startKeyServer(t, certificate);
  server.serve(FIRST);
  const kept = await keepMaterials(t, issuersAt(server.url));
  await kept.untilTold(server.material, null);
  t.match(kept.keeper.problems(), [{ problem: /certificate/ }]);
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, certificate.ca]);
  t.teardown(() => setDefaultCACertificates(before));
  await kept.keeper.refresh(server.material);
  t.equal(kept.valueOf(server.material), FIRST);
});

t.test('nothing of a URL that may be secret is shown', async (t) => {
  const server = await startKeyServer(t);
  const jwksUrl = `${server.url.replace('http://', 'http://user:password@')}?api_key=hidden`;
  const kept = await keepMaterials(t, issuersAt(jwksUrl));
  await kept.untilTold(`jwks:${jwksUrl}`, null);
  t.equal(kept.keeper.problems()[0]?.name, server.material);
  t.notMatch(JSON.stringify([kept.lines, kept.keeper.problems()]), /password|hidden/);
});

// ---- a start without the server ----

const directoryOf = (kept: KeptMaterials) => join(kept.stateDirectory, 'jwks');

/** Gives the file that the keys are saved in. */
function untilSaved(kept: KeptMaterials): Promise<string> {
  return eventually(async () => {
    const [name] = (await readdir(directoryOf(kept))).filter((one) => one.endsWith('.json'));
    if (name === undefined) throw new Error('nothing is saved yet');
    return join(directoryOf(kept), name);
  });
}

t.test('keys survive a restart while the server is down', async (t) => {
  const { kept, server } = await keepFetched(t);
  await untilSaved(kept);
  kept.keeper.close();
  server.close();
  const again = await keepMaterials(t, issuersAt(server.url), { stateDirectory: kept.stateDirectory });
  await again.untilTold(server.material, FIRST);
  await again.untilLogged('materials cannot be got anew');
  t.match(again.keeper.problems(), [{ name: server.material, problem: /ECONNREFUSED/ }]);
  t.equal(again.valueOf(server.material), FIRST);
});

t.test('saved keys that are damaged are not used, nor kept', async (t) => {
  const { kept, server } = await keepFetched(t);
  const file = await untilSaved(kept);
  kept.keeper.close();
  await writeFile(file, (await readFile(file, 'utf8')).replace('first', 'forge'));
  server.serve(SECOND);
  const again = await keepMaterials(t, issuersAt(server.url), { stateDirectory: kept.stateDirectory });
  await again.untilTold(server.material, SECOND);
  t.equal(again.told.length, 1);
  t.match(await again.untilLogged('saved keys cannot be used'), { reason: /checksum/ });
});

/** A gateway that starts with saved keys of this age, and finds no server. */
async function startWithKeys(t: Test, ageMs: number, keyGraceSec: number) {
  const stateDirectory = await createTemporaryDirectory(t);
  const server = await startKeyServer(t);
  server.close();
  const file = new KeySetFile(join(stateDirectory, 'jwks'), server.url);
  await file.save({ text: FIRST, fetchedAtMs: Date.now() - ageMs, lifetimeMs: 60_000 });
  const issuers = new Map([['main', issuerWith({ jwksUrl: server.url, keyGraceSec })]]);
  const kept = await keepMaterials(t, { issuers }, { stateDirectory });
  return { kept, material: server.material };
}

t.test('old keys are used for as long as the issuer allows, and then no more', async (t) => {
  const young = await startWithKeys(t, DAY_MS, 86_400);
  await young.kept.untilTold(young.material, FIRST);
  const old = await startWithKeys(t, DAY_MS + 61_000, 86_400);
  await old.kept.untilTold(old.material, null);
  t.equal(old.kept.told.length, 1);
  // They end after four seconds: not before they are loaded, on a busy machine.
  const ending = await startWithKeys(t, 116_000, 60);
  await ending.kept.untilTold(ending.material, FIRST);
  await ending.kept.untilTold(ending.material, null);
});

t.test('keys that were saved in the future, before a clock was set back, count as new', async (t) => {
  const { kept, material } = await startWithKeys(t, -DAY_MS, 60);
  await kept.untilTold(material, FIRST);
});

t.test(
  'keys that no issuer names any more are removed from disk and workers, also those of a former run',
  async (t) => {
    const server = await startKeyServer(t);
    server.serve(FIRST);
    const stateDirectory = await createTemporaryDirectory(t);
    const directory = join(stateDirectory, 'jwks');
    const former = new KeySetFile(directory, 'https://former.test/jwks');
    await former.save({ text: FIRST, fetchedAtMs: 0, lifetimeMs: 60_000 });
    await mkdir(join(directory, 'of-somebody-else'));
    const kept = await keepMaterials(t, issuersAt(server.url), { stateDirectory, lingerMs: 20 });
    await kept.untilTold(server.material, FIRST);
    kept.keeper.change([deleteIssuer('main')]);
    await kept.untilTold(server.material, undefined);
    await eventually(async () => {
      const left = await readdir(directory);
      if (left.length > 1) throw new Error(`there are ${left}`);
    });
    t.same(await readdir(directory), ['of-somebody-else']);
  },
);

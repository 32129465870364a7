/** The gateway's reader of requests beside Node's: `request-reader-fuzzer.ts` says what is held. */
import t from 'tap';
import { fuzz } from './fuzzer.ts';
import { findRequestDivergence, REQUEST_DIFFERENCES } from './request-differences.ts';
import { RequestReaderFuzzer } from './request-reader-fuzzer.ts';
import { type RequestsVerdict, type RequestVerdict, readAsGateway, readAsNode } from './request-readers.ts';
import { FUZZ_SECONDS, FUZZ_SEED } from './time-box.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

async function divergenceOf(text: string) {
  const pieces = [bytesOf(text)];
  return findRequestDivergence(bytesOf(text), readAsGateway(pieces), await readAsNode(pieces));
}

t.test('the gateway and Node take no bytes for different requests, but where it is known why', async (t) => {
  const fuzzer = new RequestReaderFuzzer();
  const { fault, report, inputs } = await fuzz(fuzzer, FUZZ_SECONDS, FUZZ_SEED);
  t.equal(fault, null, report);
  t.ok(inputs > 0, `${inputs} inputs, seed ${FUZZ_SEED}`);
  t.comment(Object.fromEntries(fuzzer.explained));
});

for (const { name, why, example } of REQUEST_DIFFERENCES) {
  t.test(`a known difference: ${name}`, async (t) => {
    const divergence = await divergenceOf(example);
    t.same(
      divergence?.explanations.map((explanation) => explanation.name),
      [name],
      `${divergence?.what}; ${why}`,
    );
  });
}

t.test('what both refuse, or take for the same, is no difference', async (t) => {
  const head = 'HTTP/1.1\r\nHost: a\r\n';
  const texts = [
    '',
    `\r\nGET /a ${head}X:  b \r\n\r\nPOST /c ${head}Content-Length: 2\r\n\r\ndePOST /f HTTP/1.0\r\nHost: a\r\n\r\n`,
    `POST /a ${head}Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nc\r\n0\r\nX: d\r\n\r\nGET /e ${head}`,
    `GET /a ${head}Connection: close\r\n\r\nGET /b ${head}\r\n`,
    `GET /a ${head}Connection: upgrade\r\nUpgrade: b\r\n\r\nGET /c ${head}\r\n`,
    `GET /a ${head}Connection: upgrade\r\nUpgrade: b\r\nTransfer-Encoding: c\r\n\r\nGET /d ${head}\r\n`,
    `GET /\xe4 ${head}\r\n`,
    `GET /a ${head}X : b\r\n\r\n`,
    `GET /a ${head}X: b\r\n c\r\n\r\n`,
    `POST /a ${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\nb`,
    `POST /a ${head}Transfer-Encoding: \r\nContent-Length: 1\r\n\r\nb`,
    `POST /a ${head}Transfer-Encoding: \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ];
  for (const text of texts) t.equal(await divergenceOf(text), null, JSON.stringify(text));
});

t.test('Node is told everything, piece by piece', async (t) => {
  const text =
    'POST /a?b HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n2\r\n\xe4f\r\n0\r\nX: g\r\n\r\n';
  const verdict = await readAsNode(Array.from(bytesOf(text), (byte) => Buffer.from([byte])));
  const expected = {
    method: 'POST',
    target: '/a?b',
    version: '1.1',
    fields: ['Host', 'c', 'Transfer-Encoding', 'chunked'],
    body: 'd\xe4f',
    trailers: ['X', 'g'],
    isAdmitted: true,
    isWhole: true,
    keepsAlive: true,
  };
  t.same(verdict, { requests: [expected], problem: '' });
});

t.test('what is not known is found', async (t) => {
  const bytes = bytesOf(
    'POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nbodyGET /c HTTP/1.1\r\nHost: d\r\n\r\n',
  );
  const whole = readAsGateway([bytes]);
  const [first, second] = whole.requests as [RequestVerdict, RequestVerdict];
  const isFound = (gateway: RequestsVerdict, node: RequestsVerdict) =>
    findRequestDivergence(bytes, gateway, node)?.explanations.length === 0;
  t.equal(findRequestDivergence(bytes, whole, whole), null);
  const changes: Partial<RequestVerdict>[] = [
    { method: 'PUT' },
    { target: '/b' },
    { version: '1.0' },
    { fields: ['Host', 'b'] },
    { body: 'bod' },
    { trailers: ['X', 'a'] },
    { keepsAlive: false },
    { isWhole: false },
    { isWhole: false, body: 'x' },
  ];
  for (const change of changes) {
    const changed = { requests: [{ ...first, ...change }, second], problem: '' };
    t.ok(isFound(whole, changed), `Node's ${JSON.stringify(change)}`);
  }
  t.ok(isFound(whole, { requests: [first], problem: '' }), 'a request that only the gateway finds');
  t.ok(isFound({ requests: [first], problem: 'something new' }, whole), 'a refusal of the gateway');
  t.ok(isFound(whole, { requests: [], problem: 'HPE_OTHER: something new' }), 'a refusal of Node');
});

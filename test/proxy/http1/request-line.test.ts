/** The first line of a request (RFC 9112 §3). */
import { METHODS } from 'node:http';
import t from 'tap';
import { METHOD_PEEK, mayBeginRequest, readRequestLine } from '../../../lib/proxy/http1/request-line.ts';
import { readRequests } from '../../helpers/request-recorder.ts';
import { HOST, problemOf } from './request-expectations.ts';

const read = (line: string, before = '') =>
  readRequestLine(Buffer.from(`${before}${line}\r\n`, 'latin1'), before.length);
const refusalOf = (line: string) => problemOf(`${line}\r\n${HOST}\r\n`);

t.test('method, target and version are told as they came, and where the line ends', async (t) => {
  t.same(read('GET /a?b HTTP/1.1'), { method: 'GET', target: '/a?b', version: '1.1', end: 19 });
  t.same(read('POST http://a:1/ HTTP/1.0', 'xyz'), {
    method: 'POST',
    target: 'http://a:1/',
    version: '1.0',
    end: 30,
  });
  t.same(read('OPTIONS * HTTP/1.1').target, '*');
  t.same(read('CONNECT a:80 HTTP/1.1').target, 'a:80');
});

t.test('every method that Node knows is known, as it is written', async (t) => {
  for (const method of METHODS) {
    t.equal(read(`${method} / HTTP/1.1`).method, method);
    t.equal(refusalOf(`${method.toLowerCase()} / HTTP/1.1`), 'unknown method', method.toLowerCase());
    t.equal(refusalOf(`${method}X / HTTP/1.1`), 'unknown method', `${method}X`);
  }
  for (const method of ['PRI', 'G', 'GE', 'G\xe4T', 'DESCRIBE', 'HTTP/1.1'])
    t.equal(refusalOf(`${method} / HTTP/1.1`), 'unknown method', method);
  t.equal(refusalOf(' / HTTP/1.1'), 'unknown method', 'none at all');
});

t.test('a target is what is neither a control nor a space, in Latin-1', async (t) => {
  for (let code = 0; code < 256; code += 1) {
    const target = `/a${String.fromCharCode(code)}b`;
    const isRead = code > 0x20 && code !== 0x7f;
    const line = `GET ${target} HTTP/1.1`;
    t.equal(refusalOf(line), isRead ? '' : 'bad request line', `byte ${code}`);
    if (isRead) t.equal(read(line).target, target);
  }
});

t.test('versions that there are, or were, are told: whoever answers refuses them', async (t) => {
  for (const version of ['0.9', '1.0', '1.1', '2.0']) t.equal(read(`GET / HTTP/${version}`).version, version);
  t.same(read('GET /'), { method: 'GET', target: '/', version: '0.9', end: 7 }, 'HTTP/0.9 names none');
});

t.test('anything else is no request line', async (t) => {
  const lines = [
    'GET',
    'GET ',
    'GET  ',
    'GET  /',
    'GET / ',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET / HTTP/1.1\t',
    'GET\t/ HTTP/1.1',
    'GET /\tHTTP/1.1',
    'GET / a HTTP/1.1',
    'GET  HTTP/1.1',
    'GET / HTTP',
    'GET / HTTP/',
    'GET / HTTP/1',
    'GET / HTTP/1.',
    'GET / HTTP/1.2',
    'GET / HTTP/1.10',
    'GET / HTTP/01.1',
    'GET / HTTP/11',
    'GET / HTTP/1,1',
    'GET / HTTP/3.0',
    'GET / http/1.1',
    'GET / Http/1.1',
    'GET / HTTPS/1.1',
    'GET / ICE/1.0',
    'GET / RTSP/1.0',
    'GET / XHTTP/1.1',
    'GET / HTTP/1.1X',
    'GET / HTTP/1.\xb9',
    'GET\0/ HTTP/1.1',
    'GET / HTTP/1.1\0',
    'GET / HTTP/1.1\r',
    'GET /\r HTTP/1.1',
    'GET /\n HTTP/1.1',
    'GET / HTTP/1.1\nX: a',
  ];
  for (const line of lines) t.not(refusalOf(line), '', JSON.stringify(line));
  // Where the version is all there is, it stands where a target would, in HTTP/0.9.
  t.equal(read('GET HTTP/1.1').version, '0.9');
});

t.test('the line is not looked for behind what there is', async (t) => {
  for (const text of ['', 'GET', 'GET ', 'GET /', 'GET / HTTP/1.1', 'GET / HTTP/1.1\r'])
    t.throws(() => readRequestLine(Buffer.from(text), 0), { message: 'bad request line' }, text);
});

t.test('what may begin a request is known from the first byte on', async (t) => {
  for (const method of METHODS)
    for (let length = 0; length <= method.length; length += 1)
      t.ok(mayBeginRequest(method.slice(0, length)), method.slice(0, length));
  for (const text of ['GET ', 'GET /', 'GET / HTTP/1.1\r', 'M-SEARCH *'])
    t.ok(mayBeginRequest(text.slice(0, METHOD_PEEK)), text);
  for (const text of [
    ' ',
    'g',
    'GETX',
    'GE ',
    'GET\t',
    'GET\r',
    'X',
    '\x16\x03\x01',
    'SSH-2.0-a',
    'PRI * ',
    '\xc7',
  ])
    t.notOk(mayBeginRequest(text.slice(0, METHOD_PEEK)), JSON.stringify(text));
  const longest = METHODS.reduce((one, other) => (other.length > one.length ? other : one));
  t.equal(METHOD_PEEK, longest.length + 1);
  t.ok(mayBeginRequest(`${longest} `));
  t.notOk(mayBeginRequest(`${longest}X`));
});

t.test('what begins no request is refused at once, however little has come', async (t) => {
  for (const beginning of [
    '\x16',
    'g',
    'GETX',
    'hello',
    'PRI',
    'GE ',
    ' ',
    '\0',
    '\x16\x03\x01\x02\x00\x01\x00',
  ])
    for (const pieces of [[beginning], [...beginning], ['\r\n', beginning], [behindAnother(beginning)]])
      t.equal(readRequests(pieces).problem, 'unknown method', JSON.stringify(pieces));
  for (const beginning of ['G', 'GE', 'GET', 'GET ', 'GET /a', 'M-'])
    for (const pieces of [[beginning], [...beginning]]) {
      const { problem, isInHead } = readRequests(pieces);
      t.same([problem, isInHead], ['', true], beginning);
    }
});

/** Behind a request that is whole it is no different. */
function behindAnother(beginning: string): string {
  return `GET / HTTP/1.1\r\n${HOST}\r\n${beginning}`;
}

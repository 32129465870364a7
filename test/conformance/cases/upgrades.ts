/** Upgrade and Expect: what a request asks for beyond an answer, and what must not come of it. */
import { type CaseFamily, type CaseRow, type ConformanceCase, casesOf } from '../conformance-case.ts';
import {
  answered,
  badGateway,
  brokenOff,
  declined,
  dropped,
  forwarded,
  refused,
  seen,
} from '../requirements.ts';
import {
  CHUNKED,
  chunk,
  contentLength,
  get,
  LAST_CHUNK,
  post,
  SMUGGLED,
  WEBSOCKET_FIELDS,
} from '../wire-text.ts';

const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const SWITCH_TO = (protocol: string) =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
/** The accept value for the key in `WEBSOCKET_FIELDS` (RFC 6455 §1.3). */
const SWITCH_TO_WEBSOCKET = SWITCH_TO('websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
const REFUSES = [declined('4xx', 501), dropped];

const notUpgraded = (body: string) =>
  forwarded('as a request, its body a body', (request) => request.text === body);
const noTunnel = seen('no 101 for the client', ({ client }) =>
  client.responses.every(({ status }) => status !== 101),
);

const ROWS: readonly CaseRow[] = [
  ['upgrade-h2c-get', 'h2c on GET', 'RFC 9110 §7.8; h2c smuggling', get(H2C), [...REFUSES, notUpgraded('')]],
  [
    'upgrade-h2c-post',
    'h2c on POST with a body',
    'RFC 9110 §7.8',
    post(H2C + contentLength('body'), 'body'),
    [...REFUSES, notUpgraded('body')],
  ],
  [
    'upgrade-h2c-hides',
    'h2c, and a request where its body ends',
    'RFC 9110 §7.8',
    post(H2C + contentLength('body'), `body${SMUGGLED}`),
    [...REFUSES, notUpgraded('body')],
  ],
  [
    'upgrade-h2c-chunks',
    'h2c, and a request in its chunks',
    'RFC 9110 §7.8',
    post(H2C + CHUNKED, chunk(SMUGGLED) + LAST_CHUNK),
    [...REFUSES, notUpgraded(SMUGGLED)],
  ],
  [
    'upgrade-h2c-preface',
    'h2c, and the preface at once',
    'RFC 9113 §3.4',
    get(H2C) + PREFACE,
    [...REFUSES, notUpgraded('')],
  ],
  [
    'upgrade-websocket-post',
    'A WebSocket on POST',
    'RFC 6455 §4.1',
    post(WEBSOCKET_FIELDS + contentLength('body'), 'body'),
    [...REFUSES, notUpgraded('body')],
  ],
  [
    'upgrade-websocket-body',
    'A WebSocket on a GET with a body',
    'RFC 6455 §4.1',
    get(WEBSOCKET_FIELDS + contentLength(SMUGGLED)) + SMUGGLED,
    [...REFUSES, notUpgraded(SMUGGLED)],
  ],
  [
    'upgrade-unknown',
    'A protocol nobody knows',
    'RFC 9110 §7.8',
    get('Connection: Upgrade\r\nUpgrade: foo/2\r\n') + SMUGGLED,
    [...REFUSES, notUpgraded('')],
  ],
  [
    'upgrade-http-1.0',
    'A WebSocket in HTTP/1.0',
    'RFC 9110 §7.8: MUST ignore',
    `GET /public/x HTTP/1.0\r\nHost: localhost\r\n${WEBSOCKET_FIELDS}\r\n${SMUGGLED}`,
    [...REFUSES, notUpgraded('')],
  ],
  [
    'upgrade-early-bytes',
    'Bytes behind a WebSocket that the origin refuses',
    'RFC 6455 §4.1: nothing before the 101',
    get(WEBSOCKET_FIELDS) + SMUGGLED,
    [...REFUSES, notUpgraded('')],
  ],
  [
    'expect-unknown',
    'An expectation nobody knows',
    'RFC 9110 §10.1.1',
    get('Expect: miracles\r\n'),
    [declined(417, '4xx'), forwarded('')],
  ],
  [
    'expect-no-body',
    '100-continue without a body',
    'RFC 9110 §10.1.1',
    get('Expect: 100-continue\r\n'),
    [declined(417, '4xx'), forwarded('')],
  ],
];

const ACCEPTED: readonly ConformanceCase[] = [
  {
    id: 'upgrade-websocket',
    title: 'A WebSocket that the origin takes',
    source: 'RFC 6455 §4',
    sends: get(WEBSOCKET_FIELDS),
    answers: [SWITCH_TO_WEBSOCKET],
    answersAtHead: true,
    expects: [seen('101', ({ client }) => client.responses[0]?.status === 101)],
  },
  {
    id: 'upgrade-h2c-taken',
    title: 'h2c that the origin takes',
    source: 'RFC 9110 §7.8; h2c smuggling',
    sends: get(H2C),
    answers: [SWITCH_TO('h2c')],
    answersAtHead: true,
    expects: [noTunnel],
  },
  {
    id: 'upgrade-unasked',
    title: 'The origin switches protocols unasked',
    source: 'RFC 9110 §7.8: MUST NOT',
    sends: get(),
    answers: [SWITCH_TO('websocket')],
    expects: [badGateway, brokenOff],
  },
  {
    id: 'upgrade-nameless',
    title: 'The origin switches, and does not say to what',
    source: 'RFC 9110 §7.8: MUST send Upgrade',
    sends: get(WEBSOCKET_FIELDS),
    answers: ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n'],
    answersAtHead: true,
    expects: [badGateway, brokenOff],
  },
  {
    id: 'upgrade-other',
    title: 'The origin switches to another protocol than asked for',
    source: 'RFC 9110 §7.8: MUST NOT',
    sends: get(WEBSOCKET_FIELDS),
    answers: [SWITCH_TO('h2c')],
    answersAtHead: true,
    expects: [badGateway, brokenOff],
  },
];

const UPLOAD = post(`Expect: 100-continue\r\n${contentLength(SMUGGLED)}`, '');
const DENIED = `HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\ndenied`;

const EXPECTATIONS: readonly ConformanceCase[] = [
  {
    id: 'expect-refused-by-origin',
    title: 'The origin refuses a body that waits for its 100',
    source: 'RFC 9110 §10.1.1: a proxy passes the expectation on',
    sends: [UPLOAD, { until: 'answered' }],
    answers: [DENIED],
    answersAtHead: true,
    expects: [
      answered(
        '401 and no 100 before it',
        (response) => response.status === 401 && response.informational.length === 0,
      ),
    ],
  },
  {
    id: 'expect-no-body-sent',
    title: 'In place of the refused body the client sends a request',
    source: 'RFC 9110 §10.1.1',
    sends: [UPLOAD, { until: 'answered' }, SMUGGLED],
    answers: [DENIED],
    answersAtHead: true,
    expects: [
      seen(
        'answered once, the origin without a second request',
        ({ client }) =>
          (client.responses[0]?.status ?? 0) >= 400 && client.responses.every(({ text }) => text !== 'ok'),
      ),
      forwarded('as a body'),
    ],
  },
  {
    id: 'expect-granted',
    title: 'The body comes without waiting for the 100',
    source: 'RFC 9110 §10.1.1',
    sends: post(`Expect: 100-continue\r\n${contentLength('body')}`, 'body'),
    expects: [refused(417), forwarded('with its body', (request) => request.text === 'body')],
  },
];

export const UPGRADES: CaseFamily = {
  title: 'Upgrade and Expect',
  cases: [...casesOf(ROWS), ...ACCEPTED, ...EXPECTATIONS],
};

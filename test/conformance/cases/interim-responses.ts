/** Interim answers (RFC 9110 §15.2): as many as the origin likes, and the final one still comes. */
import type { CaseFamily, ConformanceCase } from '../conformance-case.ts';
import { answered, badGateway, brokenOff, forwarded, type Requirement } from '../requirements.ts';
import { answer, contentLength, get, post } from '../wire-text.ts';

const interim = (status: number, fields = '') => `HTTP/1.1 ${status} Interim\r\n${fields}\r\n`;
const HINT = interim(103, 'Link: </a.css>; rel=preload; as=style\r\n');
const FINAL = answer('final');
const MUST_PARSE = 'RFC 9110 §15.2: MUST be able to parse';

const final = (what = 'the final answer', most = Number.POSITIVE_INFINITY): Requirement =>
  answered(
    what,
    (response) =>
      response.status === 200 && response.text === 'final' && response.informational.length <= most,
  );

const respond = (
  id: string,
  title: string,
  source: string,
  answers: string,
  expects: readonly Requirement[] = [final()],
  sends: string = get(),
): ConformanceCase => ({ id, title, source, sends, answers: [answers], expects });

export const INTERIM_RESPONSES: CaseFamily = {
  title: 'Interim answers of origins',
  cases: [
    respond('interim-100', '100 that nobody asked for', MUST_PARSE, interim(100) + FINAL),
    respond('interim-102', '102, twice', MUST_PARSE, interim(102) + interim(102) + FINAL),
    respond('interim-103', 'Early hints', 'RFC 8297', HINT + FINAL),
    respond('interim-199', 'One that nobody knows', MUST_PARSE, interim(199) + FINAL),
    respond(
      'interim-flood',
      'A hundred early hints',
      'RFC 9110 §15.2; nginx#1732: they may be capped',
      HINT.repeat(100) + FINAL,
      [final('the final answer behind as many of them as the gateway likes'), badGateway, brokenOff],
    ),
    respond(
      'interim-length',
      'Early hints that declare a length',
      'RFC 9110 §15.2: no content',
      interim(103, 'Content-Length: 6\r\n') + FINAL,
      [final(), badGateway, brokenOff],
    ),
    respond(
      'interim-fields',
      'Early hints with fields of one hop',
      'RFC 9110 §7.6.1',
      interim(103, 'Link: </a.css>; rel=preload; as=style\r\nConnection: X-A\r\nX-A: b\r\n') + FINAL,
      [
        answered(
          'no such field in the hints',
          (response) =>
            response.status === 200 &&
            response.informational.every(
              (hint) => hint.header('x-a') === undefined && hint.header('connection') === undefined,
            ),
        ),
      ],
    ),
    respond(
      'interim-http-1.0',
      'Early hints for a client of HTTP/1.0',
      'RFC 9110 §15.2: MUST NOT',
      HINT + FINAL,
      [final('the final answer alone', 0)],
      'GET /public/x HTTP/1.0\r\nHost: localhost\r\n\r\n',
    ),
    respond(
      'interim-101-then-200',
      '101 unasked, then a final answer',
      'RFC 9110 §7.8',
      interim(101, 'Connection: Upgrade\r\nUpgrade: foo\r\n') + FINAL,
      [badGateway, brokenOff],
    ),
    {
      ...respond('interim-100-body', '100 to a body that waits for it', 'RFC 9110 §10.1.1', '', [
        forwarded('with its body', (request) => request.text === 'body'),
      ]),
      sends: [post(`Expect: 100-continue\r\n${contentLength('body')}`, ''), { until: 'answered' }, 'body'],
      answers: [answer('ok')],
    },
  ],
};

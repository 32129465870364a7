/** How the errors of the engines are sorted: a wrong place here is a request sent twice, or not at all. */
import t from 'tap';
import { failureOf } from '../../lib/proxy/upstream.ts';

function failure(code: string | undefined, sent: boolean, message = 'went wrong', name = 'Error') {
  const error = Object.assign(new Error(message), { name }, code === undefined ? {} : { code });
  const { error: definition, condition } = failureOf(error, sent);
  return [definition.code.replace('GW_ERR_UPSTREAM_', ''), condition];
}

t.test('what failed before the request was sent may be tried again by any method', async (t) => {
  t.same(failure('ECONNREFUSED', false), ['CONNECT', 'connect']);
  t.same(failure('EHOSTUNREACH', false), ['CONNECT', 'connect']);
  t.same(failure('ENOTFOUND', false), ['CONNECT', 'connect']);
  t.same(failure('ECONNRESET', false), ['CONNECT', 'connect']);
  t.same(failure(undefined, false), ['CONNECT', 'connect']);
  t.same(failure('UND_ERR_CONNECT_TIMEOUT', false), ['CONNECT_TIMEOUT', 'connect']);
  t.same(failure('ECONNECT_TIMEOUT', false), ['CONNECT_TIMEOUT', 'connect']);
  for (const code of [
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'CRL_HAS_EXPIRED',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'PATH_LENGTH_EXCEEDED',
    'UNSPECIFIED',
    'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'EPROTO',
  ]) {
    t.same(failure(code, false), ['TLS', 'connect'], code);
  }
});

t.test('what failed afterwards may have had its effect', async (t) => {
  t.same(failure('ECONNRESET', true), ['RESET', 'reset']);
  t.same(failure('EPIPE', true), ['RESET', 'reset']);
  t.same(failure('UND_ERR_SOCKET', true, 'other side closed'), ['RESET', 'reset']);
  t.same(failure(undefined, true), ['RESET', 'reset']);
  t.same(failure('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', true), ['TLS', 'reset']);
  t.same(failure('EPROTO', true), ['TLS', 'reset']);
});

t.test('an answer that makes no sense is not asked for again', async (t) => {
  t.same(failure('HPE_INVALID_CONSTANT', true), ['PROTOCOL', null]);
  t.same(failure('UND_ERR_HEADERS_OVERFLOW', true), ['PROTOCOL', null]);
  t.same(failure('UND_ERR_RES_CONTENT_LENGTH_MISMATCH', true), ['PROTOCOL', null]);
  t.same(failure(undefined, true, 'bad', 'HTTPParserError'), ['PROTOCOL', null]);
  t.same(failure('UND_ERR_SOCKET', true, 'bad upgrade'), ['PROTOCOL', null]);
  t.same(failure('UND_ERR_SOCKET', true, 'bad response'), ['PROTOCOL', null]);
});

t.test('the log is told what the engine said', async (t) => {
  const error = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  t.equal(failureOf(error, false).detail, 'ECONNREFUSED: connect refused');
  t.equal(failureOf(new Error('plain'), true).detail, 'plain');
});

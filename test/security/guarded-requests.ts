/** Requests that bring secrets, rightly and wrongly. */
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { formatUpgrade } from '../proxy/websocket-peers.ts';
import type { GuardedSecrets } from './guarded-secrets.ts';

export interface GuardedRequest {
  readonly what: string;
  readonly bytes: string;
  /** Null where it depends on what other gateways have let through. */
  readonly status: number | null;
}

/** They are to be sent in this order. */
export function guardedRequests(secrets: GuardedSecrets): readonly GuardedRequest[] {
  return [...requestsWithTokens(secrets), ...requestsWithKeys(secrets), ...otherRequests(secrets)].map(
    ([what, status, bytes]) => ({ what, status, bytes }),
  );
}

type Row = readonly [what: string, status: number | null, bytes: string];

function get(target: string, ...headers: readonly HeaderField[]): string {
  return formatRequest('GET', target, headers);
}

function bearer(token: string): HeaderField {
  return ['Authorization', `Bearer ${token}`];
}

function basic(text: string): HeaderField {
  return ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`];
}

function requestsWithTokens({ tokens }: GuardedSecrets): Row[] {
  return [
    ['a token by a variable', 200, get('/token', bearer(tokens.variable))],
    ['a token by a file', 200, get(`/token?access=${tokens.file}`)],
    ['a token by a key', 200, get('/token', ['Cookie', `session=${tokens.key}`])],
    ['an expired token', 401, get('/token', bearer(tokens.expired))],
    ['a forged token', 401, get('/token', bearer(tokens.forged))],
    ['half a token', 401, get('/token', bearer(tokens.forged.slice(9)))],
    ['two tokens', 401, get('/token', bearer(tokens.key), bearer(tokens.file))],
    ['a key that is private', 503, get('/unusable', bearer(tokens.misplaced))],
    ['a secret that is too short', 503, get('/unusable', bearer(tokens.short))],
    ['a token of a WebSocket', 401, formatUpgrade(`/token?access=${tokens.forged}`)],
  ];
}

function requestsWithKeys({ apiKey, password, guess }: GuardedSecrets): Row[] {
  return [
    ['an API key', 200, get('/key', ['X-Api-Key', apiKey])],
    ['an API key in the query', 200, get(`/key?key=${apiKey}`)],
    ['a wrong API key', 401, get('/key', ['X-Api-Key', guess])],
    ['two API keys', 401, get(`/key?key=${apiKey}`, ['X-Api-Key', guess])],
    ['a limit by key', null, get('/limited', ['X-Api-Key', apiKey])],
    ['a limit by key, reached', 429, get('/limited', ['X-Api-Key', apiKey])],
    ['a password', 200, get('/basic', basic(`alice:${password}`))],
    ['a wrong password', 401, get('/basic', basic(`alice:${guess}`))],
    ['a password of nobody', 401, get('/basic', basic(`${guess}:${guess}`))],
    ['Basic that is none', 401, get('/basic', ['Authorization', `Basic ${guess}`])],
  ];
}

function otherRequests({ guess, cookie }: GuardedSecrets): Row[] {
  return [
    ['a body', 200, formatRequest('POST', `/open/a?q=${guess}`, [['Cookie', cookie]], guess)],
    ['a sticky cookie', 200, get('/sticky', ['Cookie', `session=${cookie}`])],
    ['a dead origin', 502, get(`/dead?q=${guess}`, bearer(guess))],
    ['an origin that is not trusted', 502, get(`/untrusted?q=${guess}`, bearer(guess))],
    ['no route', 404, get(`/none?q=${guess}`, ['Cookie', cookie])],
    ['a field that is none', 400, get('/open/b', ['Bad Field', guess])],
    ['a target that is none', 400, get(`/open/..%00?q=${guess}`, ['Cookie', cookie])],
    ['no HTTP', 400, `${guess} ${guess}\r\n\r\n`],
    ['a large head', 431, get('/open/c', ['X-Large', guess.repeat(400)])],
  ];
}

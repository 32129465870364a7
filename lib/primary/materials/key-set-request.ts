/** Fetches a JWK Set (RFC 7517) from the URL that an issuer names. */
import type { IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { readIssuerKeys } from '../../auth/jwt-keys.ts';
import { JWT_ALGORITHMS } from '../../core/config/issuer-schema.ts';
import type { AddressSet } from '../../core/policy/address-ranges.ts';
import { keyLifetimeMs } from '../../core/policy/jwks-refresh-policy.ts';
import { checkLiteralAddress, createGuardedLookup } from '../../net/guarded-lookup.ts';

/** From the beginning of the look-up to the last byte. */
const LIMIT_MS = 5_000;
const MAX_BYTES = 1_048_576;

export interface FetchedKeys {
  /** The JWK Set as it came. */
  readonly text: string;
  readonly lifetimeMs: number;
}

/**
 * Fetches and checks a JWK Set; redirects are not followed, as nobody has said that keys may come from there.
 * @param allowed restricted addresses that may be connected to all the same
 * @param signal ends it before its time
 * @throws Error that says what is wrong, without what the server sent
 */
export async function fetchKeys(url: URL, allowed: AddressSet, signal: AbortSignal): Promise<FetchedKeys> {
  const refusal = checkLiteralAddress(url.hostname, allowed);
  if (refusal !== null) throw refusal;
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    const response = await requestKeys(url, allowed, AbortSignal.any([signal, limit]));
    const text = await readKeys(response);
    const { 'cache-control': cacheControl = '', age } = response.headers;
    return { text, lifetimeMs: keyLifetimeMs(cacheControl, Number(age ?? 0) || 0) };
  } catch (error) {
    if (limit.aborted) throw new Error(`there was no whole answer within ${LIMIT_MS} ms`);
    throw new Error(reasonOf(error), { cause: error });
  }
}

function requestKeys(url: URL, allowed: AddressSet, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const options = {
      // A connection for one request: the next is minutes away.
      agent: false as const,
      lookup: createGuardedLookup(allowed),
      // Said explicitly: a variable of the environment could switch it off for the whole process.
      rejectUnauthorized: true,
      signal,
      headers: {
        accept: 'application/jwk-set+json, application/json',
        'user-agent': 'fengling-gateway',
        connection: 'close',
      },
    };
    request(url, options, resolve).on('error', reject).end();
  });
}

async function readKeys(response: IncomingMessage): Promise<string> {
  try {
    checkHead(response);
    const text = await readText(response);
    readIssuerKeys(text, JWT_ALGORITHMS);
    return text;
  } finally {
    response.destroy();
  }
}

function checkHead({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 300 && statusCode < 400) {
    throw new Error(
      `the answer is a redirect (${statusCode}), which is not followed: name its target instead`,
    );
  }
  if (statusCode !== 200) throw new Error(`the answer has status ${statusCode}`);
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity') throw new Error('the answer is compressed, which was not asked for');
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** An attempt at several addresses fails with several errors, under no message. */
function reasonOf(error: unknown): string {
  const { message, errors } = error as AggregateError;
  const [first] = Array.isArray(errors) ? errors : [];
  return message || (first as Error | undefined)?.message || String(error);
}

/** A JWT of an issuer that a gateway under test knows, and that issuer. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Issuer } from '../../lib/core/config/model.ts';

const LIFETIME_SEC = 3_600;
const ISSUER = 'https://idp.example';
const AUDIENCE = 'orders';
/** The variable of the environment in which the gateway finds the secret: it has to be set before it is started. */
const SECRET_VARIABLE = 'BENCHMARK_SECRET';

export interface SampleToken {
  readonly token: string;
  readonly issuer: Issuer;
}

/** Signed with HS256; the secret gets into this process's environment, which the gateway inherits. */
export function createSampleToken(): SampleToken {
  const secret = randomBytes(32).toString('hex');
  process.env[SECRET_VARIABLE] = secret;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + LIFETIME_SEC;
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', scope: 'orders.read', exp };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return {
    token: `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`,
    issuer: {
      issuer: ISSUER,
      audience: [AUDIENCE],
      algorithms: ['HS256'],
      secretEnv: SECRET_VARIABLE,
      claimHeaders: { 'x-user-id': 'sub' },
    },
  };
}

/** The door of the admin listener: who comes in is known before anything else is looked at. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Authentication, Authenticator } from '../auth/authenticator.ts';
import { allows, type Role } from '../auth/roles.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { AttemptLimiter } from '../core/policy/attempt-limiter.ts';
import type { Admission } from './admission.ts';
import type { AuditLog, FailedAuthentication } from './audit-log.ts';
import { isGuarded } from './guarded-path.ts';
import { sendLastProblem } from './problem-document.ts';

type Refused = Exclude<Authentication, { kind: 'ok' | 'unverified' }>;
type Caller = Pick<Admission, 'requestId' | 'address'>;

const NO_CERTIFICATE =
  'the management API is only for clients with a certificate of the authorities of --admin-tls-client-ca ' +
  '(commands: --admin-cert and --admin-key)';
const NOT_SENT = 'send the header "authorization: Bearer TOKEN"';

export class AccessGate {
  readonly #authenticator: Authenticator;
  readonly #audit: AuditLog;
  readonly #demandsCertificate: boolean;
  readonly #limiter = new AttemptLimiter();
  readonly #admissions = new WeakMap<IncomingMessage, Admission>();

  /** @param demandsCertificate whether a token is good only with a client certificate that TLS has verified */
  constructor(authenticator: Authenticator, audit: AuditLog, demandsCertificate: boolean) {
    this.#authenticator = authenticator;
    this.#audit = audit;
    this.#demandsCertificate = demandsCertificate;
  }

  /** Returns false where the request was answered: it had no valid token for a path that needs one. */
  async admit(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const caller = { requestId: randomUUID(), address: request.socket.remoteAddress ?? '' };
    response.setHeader('x-request-id', caller.requestId);
    if (!isGuarded(request.url ?? '')) return this.#letIn(request, { ...caller, identity: null });
    if (this.#demandsCertificate && !hasShownCertificate(request.socket)) {
      this.#refuseWithoutCertificate(request, response, caller);
      return false;
    }
    const { authorization } = request.headers;
    const mayVerify = (): boolean => this.#waitSecOf(caller) === 0;
    const outcome = await this.#authenticator.authenticate(authorization, Date.now(), mayVerify);
    if (outcome.kind === 'ok') {
      const { actor, role } = outcome;
      return this.#letIn(request, { ...caller, identity: { actor, role } });
    }
    this.#refuse(request, response, caller, outcome);
    return false;
  }

  /** Before the token is looked at: who has none of the certificates learns nothing of tokens. */
  #refuseWithoutCertificate(request: IncomingMessage, response: ServerResponse, caller: Caller): void {
    const definition = ERRORS.certificateNeeded;
    this.#note(request, caller, { code: definition.code, actor: null, reason: NO_CERTIFICATE });
    const refusal = { definition, detail: NO_CERTIFICATE, members: {} };
    sendLastProblem(request, response, refusal, caller.requestId);
  }

  /** Only now the limit counts: others may share the address, and must not be locked out by who guesses. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
    outcome: Exclude<Authentication, { kind: 'ok' }>,
  ): void {
    const isGuess = outcome.kind !== 'missing' && outcome.kind !== 'forbidden';
    const waitSec = isGuess ? this.#waitSecOf(caller) : 0;
    if (outcome.kind === 'unverified' || waitSec > 0) {
      sendLimited(request, response, caller, Math.max(1, waitSec));
      return;
    }
    if (outcome.kind !== 'missing') this.#noteFailure(request, caller, outcome);
    sendRefusal(request, response, caller, outcome);
  }

  #letIn(request: IncomingMessage, admission: Admission): true {
    this.#admissions.set(request, admission);
    return true;
  }

  /** What is known of a request that was let in. @throws Error for any other */
  admissionOf(request: IncomingMessage): Admission {
    const admission = this.#admissions.get(request);
    if (admission === undefined) throw new Error('the request did not come through the gate');
    return admission;
  }

  /** Whether somebody who was let in once would be let in again: tokens expire and are revoked. */
  async stillAdmits(authorization: string | undefined, needed: Role): Promise<boolean> {
    const outcome = await this.#authenticator.authenticate(authorization, Date.now());
    return outcome.kind === 'ok' && allows(outcome.role, needed);
  }

  #waitSecOf({ address }: Caller): number {
    return this.#limiter.check(address, performance.now());
  }

  #noteFailure(
    request: IncomingMessage,
    caller: Caller,
    refused: Exclude<Refused, { kind: 'missing' }>,
  ): void {
    // Who is known, but has no role here, guesses nothing.
    if (refused.kind !== 'forbidden') this.#limiter.noteFailure(caller.address, performance.now());
    this.#note(request, caller, {
      code: definitionOf(refused).code,
      actor: refused.kind === 'forbidden' ? refused.actor : null,
      reason: refused.reason,
    });
  }

  #note(
    request: IncomingMessage,
    caller: Caller,
    failure: Pick<FailedAuthentication, 'code' | 'actor' | 'reason'>,
  ): void {
    const { method = '', url: path = '' } = request;
    this.#audit.noteFailedAuthentication({ ...caller, method, path, ...failure });
  }
}

/** A resumed session shows none, whatever it says of its client. */
function hasShownCertificate(socket: Socket): boolean {
  return socket instanceof TLSSocket && socket.authorized && !socket.isSessionReused();
}

function definitionOf(refused: Refused): ErrorDefinition {
  return refused.kind === 'forbidden' ? ERRORS.forbidden : ERRORS.unauthorized;
}

function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { requestId }: Caller,
  refused: Refused,
): void {
  const definition = definitionOf(refused);
  const detail = refused.kind === 'missing' ? NOT_SENT : refused.reason;
  // RFC 9110 §11.6.1: a 401 names the scheme.
  const headers = definition === ERRORS.unauthorized ? { 'www-authenticate': 'Bearer' } : {};
  sendLastProblem(request, response, { definition, detail, members: {} }, requestId, headers);
}

/** Leaves no line in the log: such requests may come in floods. */
function sendLimited(
  request: IncomingMessage,
  response: ServerResponse,
  { requestId, address }: Caller,
  waitSec: number,
): void {
  const detail = `too many tokens from ${address} were not valid: try again in ${waitSec} s`;
  const refusal = { definition: ERRORS.tooManyAttempts, detail, members: {} };
  sendLastProblem(request, response, refusal, requestId, { 'retry-after': String(waitSec) });
}

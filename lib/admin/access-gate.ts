/** The door of the admin listener: who comes in is known before anything else is looked at. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authentication, Authenticator } from '../auth/authenticator.ts';
import { allows, type Role } from '../auth/roles.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { AttemptLimiter } from '../core/policy/attempt-limiter.ts';
import type { Admission } from './admission.ts';
import type { AuditLog } from './audit-log.ts';
import { isGuarded } from './guarded-path.ts';
import { sendProblem } from './problem-document.ts';

type Refused = Exclude<Authentication, { kind: 'ok' }>;
type Caller = Pick<Admission, 'requestId' | 'address'>;

const NOT_SENT = 'send the header "authorization: Bearer TOKEN"';

export class AccessGate {
  readonly #authenticator: Authenticator;
  readonly #audit: AuditLog;
  readonly #limiter = new AttemptLimiter();
  readonly #admissions = new WeakMap<IncomingMessage, Admission>();

  constructor(authenticator: Authenticator, audit: AuditLog) {
    this.#authenticator = authenticator;
    this.#audit = audit;
  }

  /** Returns false where the request was answered: it had no valid token for a path that needs one. */
  async admit(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const caller = { requestId: randomUUID(), address: request.socket.remoteAddress ?? '' };
    response.setHeader('x-request-id', caller.requestId);
    if (!isGuarded(request.url ?? '')) return this.#letIn(request, { ...caller, identity: null });
    const { authorization } = request.headers;
    if (authorization !== undefined && this.#isLimited(caller, response)) return false;
    const outcome = await this.#authenticator.authenticate(authorization, Date.now());
    if (outcome.kind === 'ok') {
      const { actor, role } = outcome;
      return this.#letIn(request, { ...caller, identity: { actor, role } });
    }
    if (outcome.kind !== 'missing') this.#noteFailure(request, caller, outcome);
    sendRefusal(response, caller.requestId, outcome);
    return false;
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

  /** Such requests leave no line in the log: nobody looked at their tokens, and they may come in floods. */
  #isLimited({ address, requestId }: Caller, response: ServerResponse): boolean {
    const waitSec = this.#limiter.check(address, performance.now());
    if (waitSec === 0) return false;
    const detail = `too many tokens from ${address} were not valid: try again in ${waitSec} s`;
    const refusal = { definition: ERRORS.tooManyAttempts, detail, members: {} };
    sendProblem(response, refusal, requestId, { 'retry-after': String(waitSec) });
    return true;
  }

  #noteFailure(
    request: IncomingMessage,
    caller: Caller,
    refused: Exclude<Refused, { kind: 'missing' }>,
  ): void {
    // Who is known, but has no role here, guesses nothing.
    if (refused.kind !== 'forbidden') this.#limiter.noteFailure(caller.address, performance.now());
    this.#audit.noteFailedAuthentication({
      ...caller,
      method: request.method ?? '',
      path: request.url ?? '',
      code: definitionOf(refused).code,
      actor: refused.kind === 'forbidden' ? refused.actor : null,
      reason: refused.reason,
    });
  }
}

function definitionOf(refused: Refused): ErrorDefinition {
  return refused.kind === 'forbidden' ? ERRORS.forbidden : ERRORS.unauthorized;
}

function sendRefusal(response: ServerResponse, requestId: string, refused: Refused): void {
  const definition = definitionOf(refused);
  const detail = refused.kind === 'missing' ? NOT_SENT : refused.reason;
  // RFC 9110 §11.6.1: a 401 names the scheme.
  const headers = definition === ERRORS.unauthorized ? { 'www-authenticate': 'Bearer' } : {};
  sendProblem(response, { definition, detail, members: {} }, requestId, headers);
}

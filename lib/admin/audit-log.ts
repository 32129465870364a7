import type { Logger } from 'pino';
import type { Identity } from './admission.ts';

/** Longer paths are cut: whoever writes the log must not be able to fill it with one request. */
const MAX_PATH_LENGTH = 300;

/** What the line of a write says beyond what every request has; gathered while the request is answered. */
export interface AuditNotes {
  message: string | null;
  /** Where the configuration is after the write. */
  revision: number | null;
  /** Of a rollback: the revision to go back to; else null. */
  targetRevision: number | null;
  readonly dryRun: boolean;
  /** Whether the configuration is another one now; null where the write was refused, or is of something else. */
  changed: boolean | null;
  /** Of the error table; OK while nothing went wrong. */
  code: string;
}

/** `query` is not checked yet: what is no truth value will be refused. */
export function newAuditNotes(query: unknown): AuditNotes {
  const { dryRun } = query as { readonly dryRun?: unknown };
  return {
    message: null,
    revision: null,
    targetRevision: null,
    dryRun: dryRun === 'true',
    changed: null,
    code: 'OK',
  };
}

interface AuditedRequest {
  readonly requestId: string;
  readonly address: string;
  readonly method: string;
  /** The query is left out: people put secrets there. */
  readonly path: string;
  /** OK, or the code of the error table. */
  readonly code: string;
}

interface AuditedWrite extends AuditedRequest, AuditNotes {
  readonly identity: Identity | null;
  readonly status: number;
  readonly code: string;
}

export interface FailedAuthentication extends AuditedRequest {
  /** Null where it is not known who it was. */
  readonly actor: string | null;
  readonly reason: string;
}

/** One line for each write, refused ones included, and each failed authentication. Never a body or a token. */
export class AuditLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    // Whatever level the operator chose for the rest: an audit log with holes is none.
    this.#logger = logger.child({ audit: true }, { level: 'info' });
  }

  noteWrite({ identity, path, ...write }: AuditedWrite): void {
    this.#logger.info(
      {
        actor: identity?.actor ?? null,
        role: identity?.role ?? null,
        path: cutPath(path),
        ...write,
      },
      write.status >= 400 ? 'write refused' : write.dryRun ? 'write checked' : 'write',
    );
  }

  noteFailedAuthentication({ path, ...attempt }: FailedAuthentication): void {
    this.#logger.warn({ ...attempt, path: cutPath(path) }, 'authentication failed');
  }
}

function cutPath(target: string): string {
  const [path = ''] = target.split('?', 1);
  return path.length <= MAX_PATH_LENGTH ? path : `${path.slice(0, MAX_PATH_LENGTH)}…`;
}

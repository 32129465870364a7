import type { Role } from '../auth/roles.ts';

/** Who a token belongs to. */
export interface Identity {
  readonly actor: string;
  readonly role: Role;
}

/** What is known of a request that was let in. */
export interface Admission {
  readonly requestId: string;
  readonly address: string;
  /** Null where the path needs no token: nothing of the management API may be answered then. */
  readonly identity: Identity | null;
}

/** The roles of the management API, from the least to the most: each may do what those before it may. */
export const ROLES = ['reader', 'operator', 'admin'] as const;

/** A `reader` looks, an `operator` also reports health and restarts workers, an `admin` also changes the configuration. */
export type Role = (typeof ROLES)[number];

export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

/** Whether somebody with `role` may do what `needed` is needed for. */
export function allows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The highest role among these values, of which others are passed over; null where there is none. */
export function highestRole(values: readonly unknown[]): Role | null {
  return ROLES.findLast((role) => values.includes(role)) ?? null;
}

/** When people are told that a certificate will expire. */

const DAY_MS = 86_400_000;
const WARNING_DAYS = [0, 1, 7, 30] as const;

/** How many days before the end a warning is due; 0 once it has expired. */
export type WarningDays = (typeof WARNING_DAYS)[number];

/** The warning that is due at this time, null while there is none: the closest that has been reached. */
export function warningDueAt(expiresAtMs: number, nowMs: number): WarningDays | null {
  return WARNING_DAYS.find((days) => expiresAtMs - nowMs <= days * DAY_MS) ?? null;
}

import { getSystemErrorMessage } from 'node:util';

/** The code of a system error, such as ENOENT; undefined for any other error. */
export function errorCodeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}

/**
 * An error that says what could not be done with which file, and why:
 * `cannot write /var/lib/gateway/changes.log: no space left on device (ENOSPC)`.
 */
export function fileError(action: string, path: string, cause: unknown): Error {
  return new Error(`cannot ${action} ${path}: ${describeCause(cause)}`, { cause });
}

function describeCause(cause: unknown): string {
  const { errno, code, message } = cause as NodeJS.ErrnoException;
  if (errno === undefined || code === undefined) return message;
  return `${getSystemErrorMessage(errno)} (${code})`;
}

import { isIP } from 'node:net';

/** Whether nobody but this host reaches it. Takes a name or an address, with or without brackets. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host === '::1' ||
    host === '[::1]' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}

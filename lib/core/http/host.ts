/** The Host field (RFC 9110 §7.2) as the name that routes are matched with. */
import { canonicalIpv6 } from './ipv6-address.ts';

/** The longest name that DNS can hold, written with dots (RFC 1035 §2.3.4). */
const MAX_NAME_CHARACTERS = 253;
const MAX_PORT = 65_535;

const COLON = 0x3a;
const DOT = 0x2e;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

/**
 * Takes the value of a Host field or the authority of a target. Returns the name in lower case without
 * port and without one trailing dot, an IPv6 address in its brackets as RFC 5952 writes it, or null where the value is not a
 * valid host. A value that is canonical already is returned itself.
 */
export function canonicalHost(value: string): string | null {
  if (value.startsWith('[')) return canonicalAddress(value);
  let hasUpperCase = false;
  let labelStart = 0;
  let index = 0;
  for (; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code === COLON) break;
    if (code === DOT) {
      if (index === labelStart) return null;
      labelStart = index + 1;
    } else if (isUpperCase(code)) {
      hasUpperCase = true;
    } else if (!isLowerCaseNameCharacter(code)) {
      return null;
    }
  }
  if (index < value.length && !isPort(value, index + 1)) return null;
  const end = labelStart === index ? index - 1 : index;
  if (end <= 0 || end > MAX_NAME_CHARACTERS) return null;
  const name = end === value.length ? value : value.slice(0, end);
  return hasUpperCase ? name.toLowerCase() : name;
}

function canonicalAddress(value: string): string | null {
  const close = value.indexOf(']');
  const address = close === -1 ? null : canonicalIpv6(value.slice(1, close));
  if (address === null) return null;
  const end = close + 1;
  if (end < value.length && (value.charCodeAt(end) !== COLON || !isPort(value, end + 1))) return null;
  return `[${address}]`;
}

function isUpperCase(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

/** RFC 3986 lets a registered name hold much more; nothing that names a real host needs it. */
function isLowerCaseNameCharacter(code: number): boolean {
  if (code >= 0x61 && code <= 0x7a) return true;
  return (code >= 0x30 && code <= 0x39) || code === HYPHEN || code === UNDERSCORE;
}

/** True where only digits follow up to the end and make a port; RFC 3986 §3.2.3 lets it be empty. */
function isPort(value: string, start: number): boolean {
  let port = 0;
  for (let index = start; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
    port = port * 10 + code - 0x30;
    if (port > MAX_PORT) return false;
  }
  return true;
}

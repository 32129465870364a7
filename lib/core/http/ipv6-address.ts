/** Whether a text is an IPv6 address (RFC 4291 §2.2), without brackets and without a zone. */

const GROUP = /^[0-9A-Fa-f]{1,4}$/;
const IPV4_ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Eight groups of four digits would be 39; the last two may be written as an IPv4 address. */
const MAX_CHARACTERS = 45;
const GROUPS = 8;

export function isIpv6Address(text: string): boolean {
  if (text.length > MAX_CHARACTERS) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const [left = '', right] = halves;
  if (right === undefined) return countGroups(left, true) === GROUPS;
  const leftGroups = left === '' ? 0 : countGroups(left, false);
  const rightGroups = right === '' ? 0 : countGroups(right, true);
  return leftGroups !== -1 && rightGroups !== -1 && leftGroups + rightGroups < GROUPS;
}

/** The number of 16-bit groups, -1 where one is malformed. Only the end of an address may be IPv4. */
function countGroups(text: string, isEnd: boolean): number {
  const groups = text.split(':');
  const last = groups.at(-1) ?? '';
  const endsWithIpv4 = isEnd && IPV4_ADDRESS.test(last);
  if (endsWithIpv4) groups.pop();
  if (!groups.every((group) => GROUP.test(group))) return -1;
  return groups.length + (endsWithIpv4 ? 2 : 0);
}

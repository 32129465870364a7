/** IPv6 addresses as text. */

const GROUP_COUNT = 8;
/** Eight groups of four digits would be 39; the last two may be written as an IPv4 address. */
const MAX_CHARACTERS = 45;

/** Whether `text` is a dotted IPv4 address: four numbers of 0 to 255, without leading zeros. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return (
    parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
  );
}

/**
 * The one way of writing an IPv6 address that RFC 5952 recommends, lower-case and with the longest run
 * of zeros as `::`. Takes it without brackets and zone. Returns null where `text` is no address.
 */
export function canonicalIpv6(text: string): string | null {
  const groups = parseIpv6(text);
  return groups === null ? null : formatGroups(groups);
}

/** The eight groups of an IPv6 address without brackets and zone, 16 bits each; null where `text` is no address. */
export function parseIpv6(text: string): readonly number[] | null {
  return text.length > MAX_CHARACTERS ? null : parseGroups(text.toLowerCase());
}

function parseGroups(text: string): number[] | null {
  const gap = text.indexOf('::');
  if (gap === -1) {
    const groups = parseGroupList(text, true);
    return groups !== null && groups.length === GROUP_COUNT ? groups : null;
  }
  const head = gap === 0 ? [] : parseGroupList(text.slice(0, gap), false);
  const tail = gap === text.length - 2 ? [] : parseGroupList(text.slice(gap + 2), true);
  if (head === null || tail === null || head.length + tail.length >= GROUP_COUNT) {
    return null;
  }
  const zeros = new Array<number>(GROUP_COUNT - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail];
}

/** Parses groups between single colons. An address may end in an IPv4 address for two groups (RFC 4291 §2.2). */
function parseGroupList(text: string, isEnd: boolean): number[] | null {
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else if (isEnd && index === parts.length - 1 && isIpv4(part)) {
      const [first = 0, second = 0, third = 0, fourth = 0] = part.split('.').map(Number);
      groups.push(first * 256 + second, third * 256 + fourth);
    } else {
      return null;
    }
  }
  return groups;
}

function formatGroups(groups: readonly number[]): string {
  const run = findLongestZeroRun(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) {
    return text(groups);
  }
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function findLongestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) {
      longest = { start: index - length + 1, length };
    }
  }
  return longest;
}

/** More rounds of escaping than this nobody can mean; a longer chain is as good as an attack. */
const MAX_ROUNDS = 4;
const ESCAPE = /%([0-9a-f]{2})/gi;

/**
 * Whether a request target may only be answered to someone with a token: every spelling that anybody,
 * a proxy in front of us included, could take for a path of the management API. It is told by the loosest
 * reading there is, the word itself once all escapes are undone, because a strict one is what attackers
 * look for holes in. The router has its own opinion, and reaches no endpoint without an identity anyway.
 */
export function isGuarded(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  let text = path;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const decoded = text.replace(ESCAPE, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
    if (decoded === text) return decoded.toLowerCase().includes('gateway');
    text = decoded;
  }
  return true;
}

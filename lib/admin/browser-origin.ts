/**
 * Whether a page of another origin sends this. Tokens are never sent by a browser on its own account, so
 * such a page has nothing to act with, also after DNS rebinding; this only keeps one that got hold of a
 * token, by whatever leak, from writing with it from a browser inside the network.
 */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  if (!URL.canParse(origin) || host === undefined) return true;
  const { protocol, host: originHost } = new URL(origin);
  const own = `${protocol}//${host}`;
  return !URL.canParse(own) || new URL(own).host !== originHost;
}

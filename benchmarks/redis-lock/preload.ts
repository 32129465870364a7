/**
 * Preloaded into the processes of a gateway (`node --import`), gives its workers another class for their clusters: one
 * that balances under a lock in Redis, on the port that REDIS_LOCK_PORT says. Nothing in `lib` knows of it.
 */
import { registerHooks } from 'node:module';

const REPLACED = new URL('../../lib/proxy/proxied-cluster.ts', import.meta.url).href;
const REPLACEMENT = new URL('./locked-cluster.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const isReplaced = resolved.url === REPLACED && context.parentURL !== REPLACEMENT;
    return isReplaced ? { ...resolved, url: REPLACEMENT } : resolved;
  },
});

/** The rules for a route's `cors` that a schema cannot express. */
import { parseHostPattern } from '../routing/host-pattern.ts';
import type { Cors } from './model.ts';
import type { Findings } from './problem-list.ts';
import { quoteText } from './quote-text.ts';

const ANY = '*';
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
]);
const MAX_PORT = 65_535;

/** Checks the `cors` of a route. `pointer` is where it is in the document. */
export function checkCors(pointer: string, cors: Cors, findings: Findings): void {
  checkOrigins(`${pointer}/origins`, cors.origins, findings);
  if (cors.credentials !== true) {
    return;
  }
  if (cors.origins.includes(ANY)) {
    const message = 'cannot stand beside the origin *: every page of the web could act for your users';
    findings.problems.add(`${pointer}/credentials`, message, 'name the origins');
  }
  for (const key of ['methods', 'headers', 'exposeHeaders'] as const) {
    const index = cors[key]?.indexOf(ANY) ?? -1;
    if (index !== -1) {
      const message = '* means nothing but itself where credentials are allowed';
      findings.problems.add(`${pointer}/${key}/${index}`, message, 'name each');
    }
  }
}

function checkOrigins(pointer: string, origins: readonly string[], { problems, warnings }: Findings): void {
  const seen = new Set<string>();
  const hasAny = origins.includes(ANY);
  for (const [index, origin] of origins.entries()) {
    const place = `${pointer}/${index}`;
    const problem = origin === ANY ? null : findOriginProblem(origin);
    const key = origin.toLowerCase();
    if (problem !== null) {
      problems.add(place, problem.message, problem.hint);
    } else if (seen.has(key)) {
      warnings.add(place, `${quoteText(origin)} is in the list already`, 'remove it');
    } else if (hasAny && origin !== ANY) {
      warnings.add(place, 'has no effect beside *', 'remove it, or the *');
    }
    seen.add(key);
  }
}

interface OriginProblem {
  readonly message: string;
  readonly hint: string;
}

const EXAMPLE = 'write it as in https://app.example.com or https://*.example.com:8443';

/** Why no browser sends this as an origin (RFC 6454 §6.2), or null. */
function findOriginProblem(origin: string): OriginProblem | null {
  if (origin.toLowerCase() === 'null') {
    return {
      message: 'the origin null is that of any sandboxed page or local file',
      hint: 'serve the page from a host of its own, and name that',
    };
  }
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]/]*\]|[^/:?#]*)(?::([0-9]*))?(.*)$/i.exec(origin);
  if (parts === null) {
    return { message: `${quoteText(origin)} is no origin: it has no scheme`, hint: EXAMPLE };
  }
  const [, scheme = '', host = '', port, rest = ''] = parts;
  if (rest !== '') {
    return { message: `${quoteText(origin)} has more than scheme, host and port`, hint: EXAMPLE };
  }
  return findHostProblem(scheme.toLowerCase(), host) ?? findPortProblem(scheme.toLowerCase(), port);
}

function findHostProblem(scheme: string, host: string): OriginProblem | null {
  const { pattern, problem } = parseHostPattern(host);
  if (pattern === null) {
    return { message: problem, hint: EXAMPLE };
  }
  // Browsers keep it, so that the page is of another origin than without it.
  if (host.endsWith('.')) {
    return { message: 'the host ends with a dot', hint: 'remove it: nobody opens pages by such a name' };
  }
  if (pattern.kind === 'wildcard') {
    return findWildcardProblem(scheme, pattern.name);
  }
  return host.startsWith('[') && pattern.name !== host.toLowerCase()
    ? { message: `browsers write the address ${pattern.name}`, hint: 'write it like that' }
    : null;
}

function findWildcardProblem(scheme: string, parent: string): OriginProblem | null {
  if (!DEFAULT_PORTS.has(scheme)) {
    return { message: `a wildcard cannot be had with ${quoteText(scheme)}`, hint: 'name each origin' };
  }
  return parent.includes('.')
    ? null
    : {
        message: 'takes the pages of a whole top-level domain, most of them of strangers',
        hint: 'write at least two labels behind the *, as in https://*.example.com',
      };
}

function findPortProblem(scheme: string, port: string | undefined): OriginProblem | null {
  if (port === undefined) {
    return null;
  }
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > MAX_PORT) {
    return { message: `${quoteText(port)} is no port`, hint: EXAMPLE };
  }
  return port === DEFAULT_PORTS.get(scheme)
    ? { message: `browsers leave out :${port}, which is the port of ${scheme}`, hint: 'leave it out too' }
    : null;
}

/** The rules for the policies of a route that a schema cannot express. */
import { parseAddressRange } from '../policy/address-ranges.ts';
import { checkAuth } from './auth-rules.ts';
import { checkCors } from './cors-rules.ts';
import type { ClientAddresses, HttpsPolicy, Route } from './model.ts';
import type { Findings } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { checkRateLimits } from './rate-limit-rules.ts';

/** What the lists of browsers ask for: a year (https://hstspreload.org). */
const MIN_PRELOAD_SEC = 31_536_000;

/** Checks the policies of a route. `pointer` is where the route is in the document. */
export function checkPolicies(pointer: string, route: Route, findings: Findings): void {
  const { auth, clientAddresses, cors, rateLimits, https } = route;
  if (auth !== undefined) {
    checkAuth(`${pointer}/auth`, auth, findings);
  }
  if (clientAddresses !== undefined) {
    checkClientAddresses(`${pointer}/clientAddresses`, clientAddresses, findings);
  }
  if (cors !== undefined) {
    checkCors(`${pointer}/cors`, cors, findings);
  }
  if (rateLimits !== undefined) {
    checkRateLimits(`${pointer}/rateLimits`, rateLimits, auth, findings);
  }
  if (https !== undefined) {
    checkHttps(`${pointer}/https`, https, findings);
  }
}

function checkClientAddresses(pointer: string, { allow, deny }: ClientAddresses, findings: Findings): void {
  if (allow === undefined && deny === undefined) {
    findings.problems.add(
      pointer,
      'names no addresses',
      'give allow or deny, such as allow: ["10.0.0.0/8"], or remove it',
    );
  }
  checkRanges(`${pointer}/allow`, allow ?? [], findings);
  checkRanges(`${pointer}/deny`, deny ?? [], findings);
}

function checkRanges(pointer: string, texts: readonly string[], { problems, warnings }: Findings): void {
  for (const [index, text] of texts.entries()) {
    const range = parseAddressRange(text);
    if (range === null) {
      problems.add(
        `${pointer}/${index}`,
        `${quoteText(text)} is neither an address nor a CIDR range`,
        'write it as in 192.0.2.7, 10.0.0.0/8 or fd00::/8, without a port and a zone',
      );
    } else if (range.hasHostBits) {
      warnings.add(
        `${pointer}/${index}`,
        `${quoteText(text)} names one address and stands for all that share its first ${text.split('/')[1]} bits`,
        'set the other bits to 0, or leave out the length for that address alone',
      );
    }
  }
}

function checkHttps(pointer: string, { redirect, port, hsts }: HttpsPolicy, findings: Findings): void {
  const { problems, warnings } = findings;
  if (redirect !== true && port !== undefined) {
    warnings.add(`${pointer}/port`, 'has no effect without redirect', 'write redirect: true, or remove it');
  }
  if (redirect !== true && hsts === undefined) {
    warnings.add(pointer, 'has no effect: it asks for nothing', 'write redirect: true, or remove it');
  }
  if (hsts?.preload === true && (hsts.includeSubdomains !== true || hsts.maxAgeSec < MIN_PRELOAD_SEC)) {
    problems.add(
      `${pointer}/hsts/preload`,
      `needs includeSubdomains and a maxAgeSec of ${MIN_PRELOAD_SEC} or more: browsers take nothing less`,
      'add them, or remove preload',
    );
  }
}

/** The rules for a route's `auth` that a schema cannot express. */
import type { RouteAuth } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { checkHeaderChoice } from './reserved-headers.ts';

/** Checks the `auth` of a route, but for the entries that it names. `pointer` is where it is in the document. */
export function checkAuth(pointer: string, auth: RouteAuth, findings: Findings): void {
  const { problems } = findings;
  const takesConsumers = auth.apiKey !== undefined || auth.basic !== undefined;
  if (auth.issuers === undefined && !takesConsumers) {
    problems.add(
      pointer,
      'says of no way to come in: nobody could use the route',
      'give issuers, apiKey or basic, such as apiKey: {}',
    );
  }
  if (auth.issuers === undefined) {
    reportNeedless(pointer, auth, ['tokenFrom', 'claims'], 'issuers', problems);
  }
  if (!takesConsumers) {
    reportNeedless(pointer, auth, ['consumers'], 'apiKey or basic', problems);
  }
  checkCarriers(pointer, auth, findings);
  reportRepeated(`${pointer}/issuers`, auth.issuers ?? [], findings);
  reportRepeated(`${pointer}/consumers`, auth.consumers ?? [], findings);
  if (takesConsumers && auth.issuers !== undefined && auth.claims !== undefined) {
    const message = 'shuts out whoever comes by API key or password: consumers have no claims';
    findings.warnings.add(`${pointer}/claims`, message, 'ask for scopes or roles, or make two routes of it');
  }
}

/** A condition that is not looked at must not seem to protect anything. */
function reportNeedless(
  pointer: string,
  auth: RouteAuth,
  keys: readonly (keyof RouteAuth)[],
  needed: string,
  problems: ProblemList,
): void {
  for (const key of keys) {
    if (auth[key] !== undefined) {
      problems.add(`${pointer}/${key}`, `has no effect without ${needed}`, `give ${needed}, or remove it`);
    }
  }
}

/** Where in a request the credentials are. */
function checkCarriers(
  pointer: string,
  { apiKey, tokenFrom }: RouteAuth,
  { problems, warnings }: Findings,
): void {
  if (apiKey?.header !== undefined) {
    checkHeaderChoice(`${pointer}/apiKey/header`, apiKey.header, problems);
  }
  if (tokenFrom !== undefined && tokenFrom.cookie === undefined && tokenFrom.query === undefined) {
    warnings.add(`${pointer}/tokenFrom`, 'has no effect: it is empty', 'give cookie or query, or remove it');
  }
  if (apiKey?.query !== undefined && apiKey.query === tokenFrom?.query) {
    const message = `${quoteText(apiKey.query)} is where tokens are looked for too`;
    problems.add(`${pointer}/apiKey/query`, message, 'give each a parameter of its own');
  }
}

function reportRepeated(pointer: string, ids: readonly string[], { warnings }: Findings): void {
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) {
      warnings.add(`${pointer}/${index}`, `${quoteText(id)} is in the list already`, 'remove it');
    }
    seen.add(id);
  }
}

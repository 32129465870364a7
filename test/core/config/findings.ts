/** Validation results in a form that is short to compare. */
import type { Certificate, Cluster, Consumer, Issuer, Route } from '../../../lib/core/config/model.ts';
import type { Problem } from '../../../lib/core/config/problem.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';

const CLUSTER: Cluster = { destinations: { one: { url: 'http://127.0.0.1:8080' } } };

/** A document with one cluster `c` and the routes given, which need not be well-formed. */
export function documentWith(routes: Record<string, unknown>): Record<string, unknown> {
  return { clusters: { c: CLUSTER }, routes };
}

/** What validation says about one route `r`, which may name the issuer `main` and the consumer `shop`; with pointers below it. */
export function checkOneRoute(route: Partial<Route> | Record<string, unknown>) {
  const issuers = { main: { ...ISSUER, algorithms: ['RS256'], jwksUrl: 'https://idp.example.com/jwks' } };
  const document = documentWith({ r: { match: {}, cluster: 'c', ...route } });
  const consumers = { shop: { apiKeys: [{ hash: `sha256:${'0'.repeat(64)}` }] } };
  return checkBelow({ ...document, issuers, consumers }, '/routes/r');
}

/** What validation says about one cluster `c`, with pointers below it. */
export function checkOneCluster(cluster: Partial<Cluster> | Record<string, unknown>) {
  return checkBelow({ clusters: { c: { ...CLUSTER, ...cluster } } }, '/clusters/c');
}

const ISSUER: Omit<Issuer, 'algorithms'> = { issuer: 'https://idp.example.com/', audience: ['orders'] };

/** What validation says about one issuer `i`, with pointers below it. */
export function checkOneIssuer(issuer: Partial<Issuer> | Record<string, unknown>) {
  return checkBelow({ issuers: { i: { algorithms: ['RS256'], ...ISSUER, ...issuer } } }, '/issuers/i');
}

/** What validation says about one consumer `c`, with pointers below it. */
export function checkOneConsumer(consumer: Consumer) {
  return checkBelow({ consumers: { c: consumer } }, '/consumers/c');
}

/** What validation says about one certificate, with pointers below it. */
export function checkOneCertificate(id: string, certificate: Partial<Certificate>) {
  return checkBelow({ certificates: { [id]: certificate } }, `/certificates/${id}`);
}

function checkBelow(document: unknown, prefix: string) {
  const { problems, warnings, configuration } = validateDocument(document);
  const cut = (problem: Problem) => ({ ...problem, pointer: problem.pointer.replace(prefix, '') });
  return { isValid: configuration !== null, problems: problems.map(cut), warnings: warnings.map(cut) };
}

export function pointersOf(problems: readonly Problem[]): string[] {
  return problems.map(({ pointer }) => pointer);
}

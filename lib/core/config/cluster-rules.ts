/** The rules for a cluster that a schema cannot express. */
import { isRestrictedAddress } from '../policy/restricted-addresses.ts';
import { checkConcurrency } from './concurrency-rules.ts';
import {
  addressOf,
  findDestinationUrlProblems,
  normaliseDestinationUrl,
  RESTRICTED_HINT,
  RESTRICTED_MESSAGE,
} from './destination-url.ts';
import type { Cluster, HashKey, LoadBalancing } from './model.ts';
import { checkOriginTls } from './origin-tls-rules.ts';
import { TOKEN_PATTERN } from './patterns.ts';
import { childPointer } from './problem.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { matchesPattern } from './schema-node.ts';

/** Checks a cluster that fits the schema. `pointer` is where it is in the document. */
export function checkCluster(pointer: string, cluster: Cluster, findings: Findings): void {
  checkDestinations(`${pointer}/destinations`, cluster.destinations, findings);
  if (cluster.loadBalancing !== undefined) {
    checkLoadBalancing(`${pointer}/loadBalancing`, cluster.loadBalancing, findings);
  }
  if (cluster.limits !== undefined) {
    checkConcurrency(`${pointer}/limits`, cluster.limits, findings);
  }
  if (cluster.tls !== undefined) {
    checkOriginTls(`${pointer}/tls`, cluster.tls, cluster.destinations, findings);
  }
}

function checkDestinations(
  pointer: string,
  destinations: Cluster['destinations'],
  { problems, warnings }: Findings,
): void {
  const idsByUrl = new Map<string, string>();
  for (const [id, destination] of Object.entries(destinations)) {
    const urlPointer = `${childPointer(pointer, id)}/url`;
    for (const { message, hint } of findDestinationUrlProblems(destination.url)) {
      problems.add(urlPointer, message, hint);
    }
    if (isRestrictedAddress(addressOf(destination.url) ?? '')) {
      warnings.add(urlPointer, RESTRICTED_MESSAGE, RESTRICTED_HINT);
    }
    const url = normaliseDestinationUrl(destination.url);
    const firstId = url === null ? undefined : idsByUrl.get(url);
    if (firstId !== undefined) {
      warnings.add(urlPointer, `is the URL of destination "${firstId}" too`, 'raise its weight instead');
    } else if (url !== null) {
      idsByUrl.set(url, id);
    }
  }
  if (Object.keys(destinations).length === 0) {
    warnings.add(pointer, 'is empty: no request to this cluster can be served', 'add a destination');
  }
}

function checkLoadBalancing(pointer: string, { policy, hash }: LoadBalancing, findings: Findings): void {
  if (policy === 'consistentHash' && hash === undefined) {
    findings.problems.add(
      pointer,
      '"hash" is missing: consistentHash must know what to take the hash of',
      'write hash: { source: header, name: x-user-id }, or hash: { source: clientIp }',
    );
  }
  if (policy !== 'consistentHash' && hash !== undefined) {
    findings.problems.add(
      `${pointer}/hash`,
      `has no effect with the policy ${policy}`,
      'remove it, or set policy to consistentHash',
    );
  }
  if (hash !== undefined) {
    checkHash(`${pointer}/hash`, hash, findings);
  }
}

function checkHash(pointer: string, { source, name }: HashKey, { problems, warnings }: Findings): void {
  if (source === 'clientIp') {
    if (name !== undefined) {
      warnings.add(`${pointer}/name`, 'has no effect with the source clientIp', 'remove it');
    }
    return;
  }
  if (name === undefined) {
    problems.add(pointer, `"name" is missing: which ${describeSource(source)} is the hash taken of?`);
  } else if (source !== 'query') {
    checkHashName(`${pointer}/name`, source, name, problems);
  }
}

function checkHashName(
  pointer: string,
  source: 'header' | 'cookie',
  name: string,
  problems: ProblemList,
): void {
  if (!matchesPattern(TOKEN_PATTERN, name)) {
    problems.add(
      pointer,
      `${quoteText(name)} cannot be the name of a ${source}`,
      'use letters, digits and -',
    );
  }
}

function describeSource(source: 'header' | 'cookie' | 'query'): string {
  return source === 'query' ? 'query parameter' : source;
}

import { findDestinationUrlProblems } from '../config/destination-url.ts';
import type { Cluster, LoadBalancing, LoadBalancingPolicyName } from '../config/model.ts';
import { quoteText } from '../config/quote-text.ts';
import { assignIds } from './assign-ids.ts';
import { type SectionItem, SectionReader } from './section-reader.ts';
import { parseTimeSpan } from './time-span.ts';

const DEFAULT_POLICY: LoadBalancingPolicyName = 'powerOfTwoChoices';
const POLICIES: ReadonlyMap<string, LoadBalancingPolicyName> = new Map([
  ['poweroftwochoices', 'powerOfTwoChoices'],
  ['roundrobin', 'roundRobin'],
  ['random', 'random'],
  ['leastrequests', 'leastRequests'],
]);
/** How YARP does without healthy destinations: none is used, or all are. */
const PANIC_THRESHOLDS: ReadonlyMap<string, number> = new Map([
  ['healthyandunknown', 0],
  ['healthyorpanic', 1],
]);
/** YARP's ActivityTimeout where none is set. It is written down, as our defaults are shorter. */
const DEFAULT_ACTIVITY_TIMEOUT_MS = 100_000;
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_CONNECTIONS = 65_535;

/** What can be carried over of a cluster; the notes say what cannot. */
export function importCluster(section: SectionReader): Cluster {
  const loadBalancing = readLoadBalancing(section);
  const cluster: Cluster = {
    ...(loadBalancing !== undefined && { loadBalancing }),
    destinations: readDestinations(section),
    timeouts: readTimeouts(section),
    ...readPool(section),
  };
  noteSessionAffinity(section);
  section.noteUnread();
  return cluster;
}

function readLoadBalancing(section: SectionReader): LoadBalancing | undefined {
  const name = section.filledText('LoadBalancingPolicy');
  const policy = name === null ? undefined : POLICIES.get(name.toLowerCase());
  if (name !== null && policy === undefined) {
    section.note('LoadBalancingPolicy', `${quoteText(name)} has no counterpart: ${DEFAULT_POLICY} is used`);
  }
  const panicThresholdPercent = readHealthCheck(section);
  if (policy === undefined && panicThresholdPercent === undefined) return undefined;
  return {
    policy: policy ?? DEFAULT_POLICY,
    ...(panicThresholdPercent !== undefined && { panicThresholdPercent }),
  };
}

/** Returns the panic threshold that says the same as the policy for available destinations. */
function readHealthCheck(section: SectionReader): number | undefined {
  const healthCheck = section.section('HealthCheck');
  if (healthCheck === null) return undefined;
  for (const kind of ['Active', 'Passive']) {
    const check = healthCheck.section(kind);
    if (check?.flag('Enabled')) {
      healthCheck.note(kind, 'the gateway does not probe destinations: set up the check in the console');
    }
  }
  const policy = healthCheck.filledText('AvailableDestinationsPolicy');
  const threshold = policy === null ? undefined : PANIC_THRESHOLDS.get(policy.toLowerCase());
  if (policy !== null && threshold === undefined) {
    healthCheck.note('AvailableDestinationsPolicy', `${quoteText(policy)} is unknown: it was left out`);
  }
  healthCheck.noteUnread();
  return threshold;
}

function readDestinations(section: SectionReader): Cluster['destinations'] {
  const items = section.items('Destinations');
  const ids = assignIds(
    items.map(({ key }) => key),
    'destination',
  );
  const destinations = items.flatMap((item, index) => {
    const id = ids[index] as string;
    const destination = readDestination(item, section);
    if (destination !== null && id !== item.key) {
      section.notes.add(
        item.pointer,
        `the id is ${quoteText(id)} now: ours are of letters, digits, '.', '_' and '-'`,
      );
    }
    return destination === null ? [] : [[id, destination] as const];
  });
  return Object.fromEntries(destinations);
}

function readDestination({ value, pointer }: SectionItem, { notes }: SectionReader): { url: string } | null {
  const reader = new SectionReader(value, pointer, notes);
  const url = reader.filledText('Address') ?? '';
  const [problem] = findDestinationUrlProblems(url);
  if (problem !== undefined) {
    reader.note('Address', `the destination was left out: its address ${problem.message}`);
    return null;
  }
  if (reader.filledText('Health') !== null) {
    reader.note('Health', 'the gateway does not probe destinations: give this address to the console');
  }
  if (reader.filledText('Host') !== null) {
    reader.note(
      'Host',
      'a destination has no Host of its own here: set the header host in requestHeaders of the routes',
    );
  }
  reader.noteUnread();
  return { url };
}

/** An ActivityTimeout ends any silence: the one before the response and those within. */
function readTimeouts(section: SectionReader): NonNullable<Cluster['timeouts']> {
  const request = section.section('HttpRequest');
  const activityMs = request === null ? DEFAULT_ACTIVITY_TIMEOUT_MS : readActivityTimeout(request);
  if (request !== null) readHttpVersion(request);
  request?.noteUnread();
  return { headersMs: activityMs, idleMs: activityMs };
}

function readActivityTimeout(request: SectionReader): number {
  const text = request.filledText('ActivityTimeout');
  if (text === null) return DEFAULT_ACTIVITY_TIMEOUT_MS;
  const timeoutMs = parseTimeSpan(text);
  if (timeoutMs === null) {
    request.note('ActivityTimeout', `${quoteText(text)} is no time span: the default of YARP is used`);
    return DEFAULT_ACTIVITY_TIMEOUT_MS;
  }
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  request.note('ActivityTimeout', 'is a day now, which is the longest');
  return MAX_TIMEOUT_MS;
}

function readHttpVersion(request: SectionReader): void {
  const version = request.filledText('Version');
  if (version !== null && !['1', '1.0', '1.1'].includes(version)) {
    request.note('Version', 'destinations are spoken to in HTTP/1.1');
  }
  request.ignore('VersionPolicy');
  if (request.flag('AllowResponseBuffering')) {
    request.note('AllowResponseBuffering', 'responses are always streamed here');
  }
}

function readPool(section: SectionReader): Pick<Cluster, 'pool'> {
  const client = section.section('HttpClient');
  if (client === null) return {};
  const maxConnections = client.integer('MaxConnectionsPerServer');
  if (client.flag('DangerousAcceptAnyServerCertificate')) {
    client.note(
      'DangerousAcceptAnyServerCertificate',
      'certificates are always verified here: give the gateway the authority of the destinations with NODE_EXTRA_CA_CERTS',
    );
  }
  client.noteUnread();
  if (maxConnections === null) return {};
  const bounded = Math.min(MAX_CONNECTIONS, Math.max(1, maxConnections));
  const change = bounded === maxConnections ? '' : `is ${bounded} now, and `;
  client.note('MaxConnectionsPerServer', `${change}counts for each worker of each instance`);
  return { pool: { maxConnections: bounded } };
}

function noteSessionAffinity(section: SectionReader): void {
  const affinity = section.section('SessionAffinity');
  if (affinity === null || !affinity.flag('Enabled')) return;
  section.note(
    'SessionAffinity',
    'the gateway sets no cookie or header of its own: use the policy consistentHash with something that clients send anyway, ' +
      'such as the session cookie of the application',
  );
}

import type { Route } from '../config/model.ts';
import { SectionReader } from './section-reader.ts';
import { importMatch } from './yarp-match.ts';
import { importTransforms } from './yarp-transforms.ts';

const MAX_ORDER = 1_000_000;

/** Policies that have no counterpart: the values that ask for nothing, and what is to be known of the others. */
const POLICIES: readonly { name: string; harmless: readonly string[]; advice: string }[] = [
  {
    name: 'AuthorizationPolicy',
    harmless: ['anonymous'],
    advice: 'the route is OPEN now: do not serve it before something else protects it',
  },
  { name: 'RateLimiterPolicy', harmless: ['disable'], advice: 'requests of this route are not limited now' },
  { name: 'CorsPolicy', harmless: ['disable'], advice: 'CORS is left to the destinations' },
  { name: 'OutputCachePolicy', harmless: [], advice: 'nothing is cached here' },
  {
    name: 'TimeoutPolicy',
    harmless: ['disable', 'default'],
    advice: 'only the timeouts of the cluster bound a request now',
  },
];

/**
 * Takes a route and what finds a cluster's id by the one in YARP. Returns null where the route cannot be
 * carried over; the notes say why.
 */
export function importRoute(
  section: SectionReader,
  findCluster: (id: string) => string | undefined,
): Route | null {
  const imported = importMatch(
    section.section('Match') ?? new SectionReader({}, section.pointer, section.notes),
  );
  const clusterId = section.filledText('ClusterId');
  const cluster = clusterId === null ? undefined : findCluster(clusterId);
  if (cluster === undefined) section.note('ClusterId', 'names no cluster that could be carried over');
  if (imported === null || cluster === undefined) {
    section.notes.add(section.pointer, 'the route was left out');
    return null;
  }
  const order = readOrder(section);
  const { match, parameters } = imported;
  const transforms = importTransforms(section, parameters);
  const limits = readLimits(section);
  notePolicies(section);
  section.noteUnread();
  // A pattern may use the path of a route for any path, which has a name only once it is written down.
  const path = match.path ?? (transforms.rewrite?.pattern === undefined ? undefined : '/{**catchall}');
  return {
    match: { ...match, ...(path !== undefined && { path }) },
    ...(order !== 0 && { order }),
    cluster,
    ...transforms,
    ...(limits !== undefined && { limits }),
  };
}

function readOrder(section: SectionReader): number {
  const order = section.integer('Order') ?? 0;
  const bounded = Math.min(MAX_ORDER, Math.max(-MAX_ORDER, order));
  if (bounded !== order) section.note('Order', `is ${bounded} now: it cannot be further from 0`);
  return bounded;
}

function readLimits(section: SectionReader): Route['limits'] {
  const maxBodyBytes = section.integer('MaxRequestBodySize');
  // A negative size stands for no limit, which is the default here.
  return maxBodyBytes === null || maxBodyBytes < 0 ? undefined : { maxBodyBytes };
}

function notePolicies(section: SectionReader): void {
  for (const { name, harmless, advice } of POLICIES) {
    const policy = section.filledText(name);
    if (policy !== null && !harmless.includes(policy.toLowerCase())) {
      section.note(name, `has no counterpart: ${advice}`);
    }
  }
  if (section.filledText('Timeout') !== null) {
    section.note(
      'Timeout',
      'there is no limit for a whole request here: only the timeouts of the cluster bound it',
    );
  }
}

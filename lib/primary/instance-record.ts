/** What instances tell each other, read back: it comes from outside, so nothing in it is taken on trust. */
import type { InstanceStatus } from '../admin/control-plane.ts';
import type { InstanceRecord } from '../store/shared-state.ts';

/** So many problems, of a refused configuration and of materials, travel along. */
const MAX_TOLD_PROBLEMS = 5;

/** The status as it is announced: with the first few problems only. */
export function recordOf(status: InstanceStatus): InstanceRecord {
  const { refused } = status.configuration;
  const materials = status.materials.slice(0, MAX_TOLD_PROBLEMS);
  if (refused === null || refused.problems.length <= MAX_TOLD_PROBLEMS) return { ...status, materials };
  const problems = refused.problems.slice(0, MAX_TOLD_PROBLEMS);
  const configuration = { ...status.configuration, refused: { ...refused, problems } };
  return { ...status, materials, configuration };
}

/** The status that a record holds; null where it is not one that this version understands. */
export function statusOf(record: InstanceRecord): InstanceStatus | null {
  if (!isStatus(record)) return null;
  // An older version says nothing of materials.
  return { materials: [], ...record } as unknown as InstanceStatus;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value);

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function orAbsent(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** An object with these members; further ones are of a newer version, and not looked at. */
function shapeOf(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members);
  return (value) => isObject(value) && checks.every(([name, check]) => check(value[name]));
}

const isProblem = shapeOf({ pointer: isText, message: isText, hint: orAbsent(isText) });

const isStatus = shapeOf({
  instance: isText,
  version: isText,
  startedAt: isText,
  at: isText,
  listen: isText,
  listenTls: orAbsent(isText),
  admin: isText,
  ready: isFlag,
  requestsPerSecond: isNumber,
  store: shapeOf({
    kind: isText,
    source: isText,
    writable: isFlag,
    reachable: isFlag,
    problem: orNull(isText),
    since: isText,
  }),
  configuration: shapeOf({
    revision: isCount,
    id: isText,
    at: isText,
    routes: isCount,
    clusters: isCount,
    fingerprint: isText,
    applied: isFlag,
    degraded: orNull(isText),
    refused: orNull(
      shapeOf({ revision: orNull(isCount), at: isText, problems: listOf(isProblem), problemCount: isCount }),
    ),
  }),
  materials: orAbsent(listOf(shapeOf({ name: isText, problem: isText, since: isText }))),
  workers: listOf(
    shapeOf({
      worker: isCount,
      slot: isCount,
      pid: isCount,
      state: isText,
      revision: orNull(isCount),
      id: orNull(isText),
      fingerprint: orNull(isText),
    }),
  ),
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What is published on the channel of events. Anybody may publish there, so only the form is trusted. */
import type { Delta } from '../../core/config/change.ts';
import type { HealthReport } from '../../core/health/health-report.ts';
import type { InstanceRecord } from '../shared-state.ts';
import { isHead, isRecord } from '../stored-shape.ts';
import { isOperation } from './stored-operations.ts';

/** Longer ones are not looked into: a change that is so large is not published with its operations. */
const MAX_MESSAGE_CHARACTERS = 1_048_576;

export type RedisEvent =
  /** The configuration has moved; `delta` is null where the message does not tell how, or is not understood. */
  | { readonly type: 'change'; readonly delta: Delta | null }
  | { readonly type: 'instance'; readonly record: InstanceRecord }
  | { readonly type: 'health'; readonly reports: readonly HealthReport[] };

const UNKNOWN_CHANGE: RedisEvent = { type: 'change', delta: null };

/** Returns null for messages of types that this version does not know, and for those of no use. */
export function parseEvent(text: string): RedisEvent | null {
  const message = text.length > MAX_MESSAGE_CHARACTERS ? null : parseObject(text);
  if (message === null) return UNKNOWN_CHANGE;
  switch (message.type) {
    case 'change':
      return { type: 'change', delta: deltaOf(message) };
    case 'instance':
      return isInstanceRecord(message.record) ? { type: 'instance', record: message.record } : null;
    case 'health':
      return { type: 'health', reports: listReports(message.reports) };
    default:
      return typeof message.type === 'string' ? null : UNKNOWN_CHANGE;
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) ? message : null;
  } catch {
    return null;
  }
}

function deltaOf(message: Record<string, unknown>): Delta | null {
  const { revision, id, parent, at, ops } = message;
  const head = { revision, id, parent, at };
  if (!isHead(head) || head.revision === 0 || head.id === '') return null;
  if (!Array.isArray(ops) || !ops.every(isOperation)) return null;
  return { ...head, operations: ops };
}

export function isInstanceRecord(value: unknown): value is InstanceRecord {
  return isRecord(value) && typeof value.instance === 'string' && value.instance !== '';
}

function listReports(value: unknown): readonly HealthReport[] {
  return Array.isArray(value) ? value.filter(isHealthReport).map(plainReport) : [];
}

function isHealthReport(value: unknown): value is HealthReport {
  return (
    isRecord(value) &&
    typeof value.cluster === 'string' &&
    typeof value.destination === 'string' &&
    typeof value.healthy === 'boolean' &&
    Number.isSafeInteger(value.sequence) &&
    Number.isSafeInteger(value.ttlMs) &&
    (value.ttlMs as number) > 0 &&
    (value.reason === undefined || typeof value.reason === 'string')
  );
}

function plainReport({ cluster, destination, healthy, sequence, ttlMs, reason }: HealthReport): HealthReport {
  return { cluster, destination, healthy, sequence, ttlMs, ...(reason === undefined ? {} : { reason }) };
}

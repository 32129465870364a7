import { createRequire } from 'node:module';
import pino, { type Logger } from 'pino';

const require = createRequire(import.meta.url);

export interface LoggerOptions {
  readonly level: string;
  /** For people at a terminal instead of machines. */
  readonly pretty: boolean;
  /** On every line. */
  readonly base: Record<string, unknown>;
}

/** Fields that may carry secrets are blanked wherever they turn up at the top or one level down. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'set-cookie',
  'proxy-authorization',
];

/**
 * A JSON logger on standard output. Synchronous: an asynchronous one saves no CPU time, and loses its last
 * lines when the process is killed.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redact = {
    paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]),
    censor: '[redacted]',
  };
  const settings = { ...settingsOf(options), redact };
  if (options.pretty) return createPrettyLogger(settings);
  return pino(settings, pino.destination({ dest: 1, sync: true }));
}

let timeMs = -1;
let timeMember = '';

/** The time as pino wants it, a member of the line. Worked out once a millisecond, in which many lines may be written. */
export function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== timeMs) timeMember = `,"time":"${new Date(nowMs).toISOString()}"`;
  timeMs = nowMs;
  return timeMember;
}

/** The logger of the access log for people at a terminal: its fields are the gateway's own, and no secrets. */
export function createPrettyAccessLogger(options: LoggerOptions): Logger {
  return createPrettyLogger(settingsOf(options));
}

function settingsOf({ level, base }: LoggerOptions): pino.LoggerOptions {
  return {
    level,
    base,
    formatters: { level: (label) => ({ level: label }) },
    timestamp: isoTime,
  };
}

/** For people at a terminal. */
function createPrettyLogger(settings: pino.LoggerOptions): Logger {
  // Loaded for people alone: every worker would pay for it at its start.
  const pretty: typeof import('pino-pretty') = require('pino-pretty');
  return pino(settings, pretty({ sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname,instance' }));
}

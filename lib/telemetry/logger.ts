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

/** What several processes write into one pipe stays apart up to this (POSIX: PIPE_BUF). */
const LONGEST_WRITE_BYTES = 4_096;
/** An access log line is out after this. */
const ACCESS_FLUSH_MS = 20;

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

/**
 * The logger of the access log: the same lines at a fraction of the cost, as there is one for each request. They are
 * written in blocks, so that a process that is killed loses its last few; and as their fields are the gateway's own,
 * none is searched for secrets.
 */
export function createAccessLogger(options: LoggerOptions): Logger {
  const settings = settingsOf(options);
  if (options.pretty) return createPrettyLogger(settings);
  return pino(settings, new BlockWriter());
}

/**
 * Writes lines in blocks, each within a time limit. pino's own blocks would be synchronised with the disk whenever
 * they are written ahead of being full.
 */
class BlockWriter {
  readonly #destination = pino.destination({ dest: 1, sync: true });
  #block = '';
  #blockBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor() {
    process.on('exit', () => this.#flush());
  }

  write(line: string): void {
    const lineBytes = Buffer.byteLength(line);
    if (this.#blockBytes + lineBytes > LONGEST_WRITE_BYTES) this.#flush();
    this.#block += line;
    this.#blockBytes += lineBytes;
    this.#timer ??= setTimeout(() => this.#endWait(), ACCESS_FLUSH_MS).unref();
  }

  #endWait(): void {
    this.#timer = null;
    this.#flush();
  }

  #flush(): void {
    if (this.#blockBytes === 0) return;
    this.#destination.write(this.#block);
    this.#block = '';
    this.#blockBytes = 0;
  }
}

let timeMs = -1;
let timeMember = '';

/** The time as pino wants it, a member of the line. Worked out once a millisecond, in which many lines may be written. */
function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== timeMs) timeMember = `,"time":"${new Date(nowMs).toISOString()}"`;
  timeMs = nowMs;
  return timeMember;
}

function settingsOf({ level, base }: LoggerOptions): pino.LoggerOptions {
  return {
    level,
    base,
    formatters: { level: (label) => ({ level: label }) },
    timestamp: isoTime,
  };
}

function createPrettyLogger(settings: pino.LoggerOptions): Logger {
  // Loaded for people alone: every worker would pay for it at its start.
  const pretty: typeof import('pino-pretty') = require('pino-pretty');
  return pino(settings, pretty({ sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname,instance' }));
}

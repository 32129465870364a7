import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

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
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: options.base,
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]),
      censor: '[redacted]',
    },
  };
  if (options.pretty) {
    return pino(
      settings,
      pretty({ sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname,instance' }),
    );
  }
  return pino(settings, pino.destination({ dest: 1, sync: true }));
}

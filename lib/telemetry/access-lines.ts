/**
 * The lines of the access log: such as the logger writes, at a fraction of the cost, as there is one for each request.
 * As their fields are the gateway's own, none is searched for secrets.
 */
import pino from 'pino';
import { BlockWriter } from './block-writer.ts';
import { createPrettyAccessLogger, isoTime, type LoggerOptions } from './logger.ts';

/** Where lines go. */
export interface AccessLines {
  /** @param members of a JSON object, such as `"status":200,"code":null` */
  write(members: string): void;
}

const MESSAGE = 'request';

/** @returns null where the level leaves such lines out */
export function createAccessLines(options: LoggerOptions): AccessLines | null {
  const { info = 30, [options.level]: least = Number.POSITIVE_INFINITY } = pino.levels.values;
  if (least > info) return null;
  return options.pretty ? createPrettyLines(options) : createJsonLines(options);
}

function createJsonLines({ base }: LoggerOptions): AccessLines {
  const writer = new BlockWriter();
  const baseMembers = JSON.stringify(base).slice(1, -1);
  return {
    write: (members) =>
      writer.write(`{"level":"info"${isoTime()},${baseMembers},${members},"msg":"${MESSAGE}"}\n`),
  };
}

function createPrettyLines(options: LoggerOptions): AccessLines {
  const logger = createPrettyAccessLogger(options);
  return { write: (members) => logger.info(JSON.parse(`{${members}}`), MESSAGE) };
}

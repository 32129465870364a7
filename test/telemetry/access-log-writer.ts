/** Writes lines to the access log as a worker does, and ends. Arguments: its name, how many lines, and how it ends. */
import { AccessLog, shortenConsumer, shortenPath } from '../../lib/proxy/access-log.ts';
import { createAccessLines } from '../../lib/telemetry/access-lines.ts';

const [writer = '', count = '0', end = ''] = process.argv.slice(2);
const lines = createAccessLines({
  level: 'info',
  pretty: false,
  base: { instance: 'test', worker: writer },
});
const log = new AccessLog(lines!, 1);

/** With more bytes than characters, and with characters that JSON has six for. */
const CONSUMERS = [null, '\u4e2d'.repeat(300), '\u0001'.repeat(300)];

/** From short to as long as a line gets. */
function write(index: number): void {
  log.write({
    requestId: `${writer}-${index}`,
    client: '127.0.0.1',
    method: 'GET',
    host: 'h'.repeat(253),
    path: shortenPath(`/${'p'.repeat((index * 97) % 1_500)}`),
    status: 200,
    code: null,
    route: 'r'.repeat(128),
    cluster: 'c'.repeat(128),
    destination: 'd'.repeat(128),
    consumer: shortenConsumer(CONSUMERS[index % CONSUMERS.length] ?? null),
    attempts: 1,
    revision: 1,
    durationMs: 1.23,
    upstreamMs: 1.11,
    requestBytes: 0,
    responseBytes: 2,
  });
}

/** In bursts, so that now a full block is written and now what the timer finds. */
function writeFrom(index: number): void {
  let next = index;
  for (let left = 1 + (index % 40); left > 0 && next < Number(count); left -= 1) write(next++);
  if (next < Number(count)) setImmediate(writeFrom, next);
  else if (end === 'exit') process.exit(0);
}

writeFrom(0);

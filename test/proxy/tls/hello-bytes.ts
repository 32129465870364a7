import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { connect } from 'node:tls';

/** What Node's client sends first. */
export async function helloFor(servername: string): Promise<Buffer> {
  const transport = new PassThrough();
  const sent = once(transport, 'data');
  const client = connect({ socket: new Sender(transport), servername });
  client.on('error', () => {});
  const [bytes] = await sent;
  client.destroy();
  return bytes as Buffer;
}

/** A duplex stream whose other end is only written to. */
class Sender extends PassThrough {
  readonly #target: PassThrough;

  constructor(target: PassThrough) {
    super();
    this.#target = target;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#target.write(chunk);
    done();
  }
}

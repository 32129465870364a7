import { Command, type Redis } from 'ioredis';

const CHUNK_CHARACTERS = 65_536;

/** Encodes the words of a command as the protocol of Redis wants them, a few at a time. */
export class CommandEncoder {
  readonly #chunks: Buffer[] = [];
  #text = '';
  #count = 0;

  add(...words: readonly (string | number)[]): void {
    for (const word of words) {
      this.#text += `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`;
      this.#count += 1;
    }
    if (this.#text.length >= CHUNK_CHARACTERS) this.#endChunk();
  }

  /** The words after those of another encoder, as one command. */
  commandAfter(first: CommandEncoder): Buffer {
    first.#endChunk();
    this.#endChunk();
    const length = Buffer.from(`*${first.#count + this.#count}\r\n`);
    return Buffer.concat([length, ...first.#chunks, ...this.#chunks]);
  }

  #endChunk(): void {
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** The library would encode hundreds of thousands of words in one go, and nothing else could happen meanwhile. */
class EncodedCommand extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, bytes: Buffer) {
    super(name, [], { replyEncoding: 'utf8' });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Sends a command that was encoded before; `name` is its first word. */
export function sendEncoded(client: Redis, name: string, bytes: Buffer): Promise<unknown> {
  const command = new EncodedCommand(name, bytes);
  client.sendCommand(command);
  return command.promise;
}

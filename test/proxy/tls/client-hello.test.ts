/** The ClientHello as real clients send it, in pieces of any size; and bytes that are none. */
import fc from 'fast-check';
import t from 'tap';
import { ClientHelloError, readServerName } from '../../../lib/proxy/tls/client-hello.ts';
import { helloFor } from './hello-bytes.ts';

/** The same handshake message in records of these sizes, over and over. */
function inRecords(hello: Buffer, sizes: readonly number[]): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let offset = 0, index = 0; offset < message.length; index += 1) {
    const fragment = message.subarray(offset, offset + (sizes[index % sizes.length] ?? 1));
    records.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 255]), fragment);
    offset += fragment.length;
  }
  return Buffer.concat(records);
}

const REFUSAL = { name: 'ClientHelloError' };

const named = await helloFor('Api.Example.com');
const nameless = await helloFor('');

t.test('the name is read in lower case, without a trailing dot; none is empty', async (t) => {
  t.equal(readServerName(named), 'api.example.com');
  t.equal(readServerName(await helloFor('api.example.com.')), 'api.example.com');
  t.equal(readServerName(nameless), '');
  t.equal(readServerName(Buffer.concat([named, Buffer.from('more')])), 'api.example.com');
});

t.test('every beginning asks for more, wherever records are cut', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 0.999, noNaN: true }), (records, share) => {
      const bytes = inRecords(named, records);
      const isWhole = readServerName(bytes) === 'api.example.com';
      return isWhole && readServerName(bytes.subarray(0, Math.floor(bytes.length * share))) === null;
    }),
    { numRuns: 300 },
  );
});

t.test('whatever the bytes, the answer is a name, more, or a clear refusal', async () => {
  const damaged = fc
    .array(fc.tuple(fc.nat(named.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(named);
      for (const [offset, value] of changes) bytes[offset] = value;
      return bytes;
    });
  const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from([22, 3, 1, ...bytes]));
  fc.assert(
    fc.property(fc.oneof(damaged, any), (bytes) => {
      try {
        const name = readServerName(bytes);
        return name === null || typeof name === 'string';
      } catch (error) {
        return error instanceof ClientHelloError;
      }
    }),
    { numRuns: 500 },
  );
});

t.test('what is no ClientHello is refused at its first bytes, what never ends at 16 KiB', async (t) => {
  const refused = (bytes: readonly number[]) => () => readServerName(Buffer.from(bytes));
  t.throws(refused([0x80]), REFUSAL, 'SSL 2');
  t.throws(refused([23, 3, 3, 0, 1, 0]), REFUSAL, 'another record');
  t.throws(refused([22, 3, 1, 0, 0]), REFUSAL, 'an empty record');
  t.throws(refused([22, 2, 0, 0, 4]), REFUSAL, 'another version');
  t.throws(refused([22, 3, 1, 0x40, 1]), REFUSAL, 'a record that is too long');
  t.throws(refused([22, 3, 1, 0, 4, 2]), REFUSAL, 'another message');
  t.throws(refused([22, 3, 1, 0, 4, 1, 1, 0, 0]), REFUSAL, 'a message that is too long');
});

t.test('a name that DNS could not hold is refused', async (t) => {
  const withName = (name: Buffer) => {
    const at = named.indexOf('Api.Example.com');
    return Buffer.concat([named.subarray(0, at), name, named.subarray(at + name.length)]);
  };
  t.throws(() => readServerName(withName(Buffer.from('Api\0Example.com'))), REFUSAL);
});

import { EventEmitter } from 'node:events';
import t from 'tap';
import { ConnectionLimit } from '../../lib/admin/connection-limit.ts';

class Connection extends EventEmitter {
  readonly remoteAddress: string | undefined;
  constructor(remoteAddress?: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
}

/** Opens connections until one is refused, and gives those that were not. */
function fill(limit: ConnectionLimit, address: string): Connection[] {
  const connections: Connection[] = [];
  for (;;) {
    const connection = new Connection(address);
    if (!limit.admit(connection)) return connections;
    connections.push(connection);
  }
}

t.test('an address has 64 connections, this host 256, and each address counts for itself', async (t) => {
  const limit = new ConnectionLimit();
  for (const [address, count] of [
    ['10.0.0.1', 64],
    ['10.0.0.2', 64],
    ['2001:db8::1', 64],
    ['2001:db8::2', 0],
    ['2001:db8:0:1::1', 64],
    ['127.0.0.1', 256],
    ['::ffff:127.0.0.1', 0],
    ['127.0.0.2', 256],
    ['::1', 256],
  ] as const) {
    t.equal(fill(limit, address).length, count, address);
  }
});

t.test('one that closes makes room, and nothing is kept of addresses that are gone', async (t) => {
  const limit = new ConnectionLimit();
  const connections = fill(limit, '10.0.0.1');
  connections[0]?.emit('close');
  t.equal(fill(limit, '10.0.0.1').length, 1);
  for (const connection of connections.slice(1)) connection.emit('close');
  t.equal(limit.size, 1);
  t.notOk(limit.admit(new Connection()), 'a client that is gone already');
  t.equal(limit.size, 1);
});

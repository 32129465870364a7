/** Answers that end with their connection: only an end that the origin meant is one. */
import t from 'tap';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { createUpstream, send } from './upstream-client.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';

t.test('a reset right behind the data is no end, though both are there at once', async (t) => {
  // In this process, so that nothing is read between the two.
  const origin = await startOrigin(
    (_, connection) => {
      connection.write(`${HEAD}part`);
      connection.reset();
    },
    { owner: t },
  );
  const upstream = createUpstream(t, origin.url);
  for (let count = 0; count < 20; count += 1) {
    const { outcome, body } = await send(upstream).over;
    t.same([outcome, body.toString()], ['RESET', 'part']);
  }
});

t.test('an end right behind the data is one', async (t) => {
  const origin = await startOrigin(
    (_, connection) => {
      connection.write(`${HEAD}all`);
      connection.close();
    },
    { owner: t },
  );
  const upstream = createUpstream(t, origin.url);
  for (let count = 0; count < 20; count += 1) t.equal((await send(upstream).over).outcome, '200 all');
  await origin.waitForConnections(0);
});

/** Requests without a body that are refused before they are understood: nothing more of them is waited for. */
import t from 'tap';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

for (const [what, text] of [
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['HEAD without Host', 'HEAD / HTTP/1.1\r\n\r\n'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
] as const) {
  t.test(what, async (t) => {
    const unfinished = await proxied.connect(t);
    // Its sender is given time to read the answer before the connection ends.
    unfinished.send('POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n');
    await unfinished.readResponse();
    const client = await proxied.connect(t);
    client.send(text);
    const response = await client.readResponse({ toHead: text.startsWith('HEAD') });
    t.ok([400, 405].includes(response.status), String(response.status));
    await client.waitForClose();
    t.equal(unfinished.connectionEnd, null, 'over before the one that came first');
  });
}

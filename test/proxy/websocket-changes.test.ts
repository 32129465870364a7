/** A WebSocket outlives changes of the configuration, its own route's included. */

import t from 'tap';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { echo, openWebSocket, startEchoOrigin } from './websocket-peers.ts';

interface Document {
  readonly clusters: Record<string, Cluster>;
  readonly routes: Record<string, Route>;
}

const [first, second] = [await startEchoOrigin(t), await startEchoOrigin(t)];

const cluster = (url: string, more: Partial<Cluster> = {}): Cluster => ({
  ...more,
  destinations: { one: { url } },
});
const route = (path: string, more: Partial<Route> = {}): Route => ({
  cluster: 'main',
  match: { path },
  ...more,
});
const initial: Document = {
  clusters: { main: cluster(first.url), other: cluster(second.url) },
  routes: { chat: route('/chat/{**rest}'), other: route('/other/{**rest}', { cluster: 'other' }) },
};
const gateway = await startGateway(t, { config: initial });

/** Each changes something else; the last ones take away all that the WebSocket came by. */
const CHANGES: Readonly<Record<string, Document>> = {
  'another route': { ...initial, routes: { ...initial.routes, other: route('/elsewhere/{**rest}') } },
  'a new route before it': {
    ...initial,
    routes: { ...initial.routes, more: route('/chat/new', { order: -1 }) },
  },
  'its own rewrite': {
    ...initial,
    routes: { ...initial.routes, chat: route('/chat/{**rest}', { rewrite: { removePrefix: '/chat' } }) },
  },
  'the path of its route': { ...initial, routes: { ...initial.routes, chat: route('/talk/{**rest}') } },
  'the cluster of its route': {
    ...initial,
    routes: { ...initial.routes, chat: route('/chat/{**rest}', { cluster: 'other' }) },
  },
  'the connection settings of its cluster': {
    ...initial,
    clusters: {
      ...initial.clusters,
      main: cluster(first.url, { timeouts: { connectMs: 111 }, pool: { maxConnections: 7 } }),
    },
  },
  'the address of its destination': {
    ...initial,
    clusters: { ...initial.clusters, main: cluster(second.url) },
  },
  'its destination gone': { ...initial, clusters: { ...initial.clusters, main: { destinations: {} } } },
  'its route and cluster gone': {
    clusters: { other: cluster(second.url) },
    routes: { other: route('/other/{**rest}', { cluster: 'other' }) },
  },
};

t.test('a WebSocket lives on through every change', async (t) => {
  const socket = await openWebSocket(t, gateway.port, '/chat/room');
  t.equal(first.opened.length, 1);
  for (const [what, document] of Object.entries(CHANGES)) {
    await gateway.applyConfig(document);
    t.equal(await echo(socket, what), what);
  }
  await gateway.applyConfig(initial);
  t.equal(await echo(socket, 'and back'), 'and back');
  t.equal(first.opened.length, 1, 'on the one connection that it began with');
});

t.test('a new WebSocket goes by the new configuration', async (t) => {
  await gateway.applyConfig({
    ...initial,
    routes: { ...initial.routes, chat: route('/chat/{**rest}', { cluster: 'other' }) },
  });
  const before = second.opened.length;
  const socket = await openWebSocket(t, gateway.port, '/chat/room');
  t.equal(second.opened.length, before + 1);
  t.equal(await echo(socket, 'there'), 'there');
  await gateway.applyConfig(initial);
});

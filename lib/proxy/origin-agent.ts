/** Connections to an origin for what does not go through the pool: one for each request or WebSocket. */
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { OriginAccess } from './origin-access.ts';

type OnConnection = (error: Error | null, socket?: Socket) => void;

/** @param maxSockets at once */
export function createOriginAgent(access: OriginAccess, maxSockets: number): http.Agent {
  const options = { keepAlive: false, maxSockets };
  const agent = access.secure
    ? new https.Agent({ ...options, maxCachedSessions: 0 })
    : new http.Agent(options);
  // Node takes the connection from the callback, be it called now or later.
  agent.createConnection = (_options, callback) => {
    void openConnection(access, (callback ?? ignore) as OnConnection);
    return undefined;
  };
  return agent;
}

async function openConnection(access: OriginAccess, callback: OnConnection): Promise<void> {
  let socket: Socket;
  try {
    socket = await connect(access);
  } catch (error) {
    callback(error as Error);
    return;
  }
  // Outside: what is thrown in there is no failure to connect, and must not be told as a second outcome.
  callback(null, socket);
}

async function connect(access: OriginAccess): Promise<Socket> {
  const { host, port, lookup, serverName } = access;
  access.checkHost();
  const address = { host, port, lookup, noDelay: true };
  if (!access.secure) return net.connect(address);
  const options = await access.tlsOptions();
  return tls.connect({ ...address, ...options, servername: serverName, ALPNProtocols: ['http/1.1'] });
}

function ignore(): void {}

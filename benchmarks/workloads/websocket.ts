import { loadByMessages } from '../suite/websocket-load.ts';
import type { Workload } from '../suite/workload.ts';
import { enterField } from './fielded.ts';

const CONNECTIONS = 32;

export const webSocket: Workload = {
  name: 'websocket',
  title: 'WebSocket messages',
  description: `128 bytes there and back count as one message; ${CONNECTIONS} connections, each with one under way.`,
  unit: 'message',
  targets: [],
  enter: (bench) =>
    enterField(bench, (port, seconds) => loadByMessages(port, CONNECTIONS, seconds), {
      'bare undici': 'knows no WebSockets',
    }),
};

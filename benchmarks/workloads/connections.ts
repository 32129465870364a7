import { loadByConnections } from '../suite/connection-load.ts';
import type { Workload } from '../suite/workload.ts';
import { enterField, enterFieldOverHttp } from './fielded.ts';

const PARALLEL = 32;
const MANY = 1_000;

export const connectionPerRequest: Workload = {
  name: 'connection-per-request',
  title: 'A connection a request',
  description: `Connect, GET with \`Connection: close\`, an answer of 12 bytes, ${PARALLEL} at a time.`,
  targets: [],
  enter: (bench) => enterField(bench, (port, seconds) => loadByConnections(port, PARALLEL, seconds)),
};

export const manyConnections: Workload = {
  name: 'connections-1000',
  title: '1,000 connections',
  description: 'Small GET over 1,000 kept connections, all of them busy.',
  targets: [],
  enter: (bench) => enterFieldOverHttp(bench, { connections: MANY, paths: ['/r0/any'] }),
};

import type { Target } from '../suite/targets.ts';
import type { Workload } from '../suite/workload.ts';
import { enterFieldOverHttp } from './fielded.ts';

const LARGE = 10_000_000;
const KILOBYTES_100 = 100_000;
const SMALL_BODY = Buffer.from(JSON.stringify({ order: 'x'.repeat(1_000 - '{"order":""}'.length) }));
const LARGE_TARGETS: readonly Target[] = [{ measure: 'cpu', of: 'gateway', to: 'nginx', most: 1.5 }];

export const jsonPost: Workload = {
  name: 'json-post',
  title: 'POST of 1 kB JSON',
  description: 'A body of 1,000 bytes with its Content-Length, an answer of 12 bytes, 64 kept connections.',
  targets: [],
  enter: (bench) =>
    enterFieldOverHttp(bench, { ...posting(SMALL_BODY, 'application/json'), connections: 64 }),
};

export const bodies: readonly Workload[] = [
  response('response-100kB', 'Answer of 100 kB', KILOBYTES_100, 16, []),
  response('response-10MB', 'Answer of 10 MB', LARGE, 4, LARGE_TARGETS),
  request('request-100kB', 'Request body of 100 kB', KILOBYTES_100, 16, []),
  request('request-10MB', 'Request body of 10 MB', LARGE, 4, LARGE_TARGETS),
];

function response(
  name: string,
  title: string,
  bytes: number,
  connections: number,
  targets: readonly Target[],
): Workload {
  return {
    name,
    title,
    description: `GET of a body of that size with its Content-Length, ${connections} kept connections.`,
    bytesPerRequest: bytes,
    targets,
    enter: (bench) =>
      enterFieldOverHttp(bench, { connections, paths: [`/bytes/${bytes}`], leastBytes: bytes }),
  };
}

function request(
  name: string,
  title: string,
  bytes: number,
  connections: number,
  targets: readonly Target[],
): Workload {
  return {
    name,
    title,
    description:
      `POST of a body of that size with its Content-Length, ${connections} kept connections. ` +
      'The origin answers when it has read all of it.',
    bytesPerRequest: bytes,
    targets,
    enter: (bench) =>
      enterFieldOverHttp(bench, {
        ...posting(Buffer.alloc(bytes, 'x'), 'application/octet-stream'),
        connections,
      }),
  };
}

function posting(body: Buffer, type: string) {
  return { paths: ['/post'], method: 'POST', headers: { 'content-type': type }, body } as const;
}

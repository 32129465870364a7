/** Load from autocannon: closed loops on kept connections. */
import autocannon from 'autocannon';
import { percentile } from '../support/figures.ts';
import type { LoadResult } from './workload.ts';

/** How often autocannon looks whether its time is over; it would end whole seconds late otherwise. */
const SAMPLE_MS = 50;

export interface HttpLoad {
  readonly port: number;
  readonly secure?: boolean;
  readonly connections: number;
  /** Each connection asks for its own part of them, in turn. */
  readonly paths: readonly string[];
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** An answer of fewer bytes, head included, is not whole, and counts as failed. */
  readonly leastBytes?: number;
}

export async function loadOverHttp(load: HttpLoad, seconds: number): Promise<LoadResult> {
  const {
    port,
    secure = false,
    connections,
    paths,
    method = 'GET',
    headers = {},
    body,
    leastBytes = 0,
  } = load;
  const latenciesMs: number[] = [];
  let cut = 0;
  let connection = 0;
  const startMs = performance.now();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const options: autocannon.Options = {
      url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}${paths[0]}`,
      connections,
      duration: seconds,
      sampleInt: SAMPLE_MS,
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      ...(secure ? { tlsOptions: { ecdhCurve: 'X25519:prime256v1' } } : {}),
      setupClient: (client) => {
        if (paths.length < 2) return;
        const own = paths.filter((_, index) => index % connections === connection % paths.length);
        client.setRequests(own.map((path) => ({ path })));
        connection += 1;
      },
    };
    const instance = autocannon(options, (error, done) => (error ? reject(error) : resolve(done)));
    instance.on('response', (_client, status, bytes, responseMs) => {
      if (status < 200 || status > 299) return;
      if (bytes < leastBytes) cut += 1;
      else latenciesMs.push(responseMs);
    });
  });
  return {
    requests: latenciesMs.length,
    failed: result.errors + result.timeouts + result.non2xx + cut,
    seconds: (performance.now() - startMs) / 1_000,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  };
}

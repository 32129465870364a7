/** Workloads that everyone in the field gets in the same way. */
import { type HttpLoad, loadOverHttp } from '../suite/autocannon-load.ts';
import type { Bench } from '../suite/bench.ts';
import type { Entry, LoadResult } from '../suite/workload.ts';

/** @param except names of those that cannot do this, each with why */
export async function enterField(
  bench: Bench,
  load: (port: number, seconds: number) => Promise<LoadResult>,
  except: Readonly<Record<string, string>> = {},
): Promise<Entry> {
  const { contenders, leftOut } = await bench.field();
  const able = contenders.filter(({ name }) => except[name] === undefined);
  const unable = contenders.flatMap(({ name }) =>
    except[name] === undefined ? [] : [`${name}: ${except[name]}`],
  );
  return {
    entrants: able.map((contender) => ({
      name: contender.name,
      contender,
      load: (seconds) => load(contender.port, seconds),
    })),
    leftOut: [...leftOut, ...unable],
  };
}

export function enterFieldOverHttp(bench: Bench, load: Omit<HttpLoad, 'port'>): Promise<Entry> {
  return enterField(bench, (port, seconds) => loadOverHttp({ port, ...load }, seconds));
}

/** Which core does what: contenders are measured on one that load generator and origin leave alone. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Cores {
  /** For the contenders, as taskset takes it; null where nothing can be pinned. */
  readonly contender: string | null;
  /** In a sentence. */
  readonly division: string;
}

/** Takes the last core for the contenders, and keeps this process and what it starts later to the others. */
export function divideCores(): Cores {
  const allowed = allowedCores();
  if (allowed === null)
    return { contender: null, division: 'Nothing is pinned to a core: there is no taskset.' };
  if (allowed.length < 2) return { contender: null, division: 'Nothing is pinned to a core: there is one.' };
  const contender = String(allowed.at(-1));
  execFileSync('taskset', ['-a', '-c', '-p', allowed.slice(0, -1).join(','), String(process.pid)]);
  const others = allowed.length === 2 ? 'the other' : 'the others';
  const division = `Each contender has one core, load generator and origin have ${others}.`;
  return { contender, division };
}

/** The cores that this process may use; null where they cannot be told or chosen. */
function allowedCores(): number[] | null {
  if (process.platform !== 'linux' || spawnSync('taskset', ['--version']).status !== 0) return null;
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCoreList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '');
}

/** `0-2,5` is 0, 1, 2 and 5. */
export function parseCoreList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The rules that keep the data flowing one way, checked on the text of the sources. */
import { posix } from 'node:path';
import { isBarrel, type ScannedImport, scanImports } from './import-scanner.ts';

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly found: string;
}

/** An import with both its ends: `to` is a path for relative imports, else the specifier. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly isRelative: boolean;
  readonly line: number;
}

const MAX_LINES = 400;

/** What the files of a layer must not import. */
const FORBIDDEN_LAYERS: Readonly<Record<string, readonly string[]>> = {
  worker: ['store', 'primary', 'admin', 'console'],
  primary: ['worker', 'proxy'],
  console: ['ipc', 'primary', 'worker', 'proxy'],
};

/** Packages and modules that only some layers may import. */
const RESERVED_MODULES: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['store'],
  'node:cluster': ['primary', 'bin'],
  cluster: ['primary', 'bin'],
  undici: ['proxy'],
  'http-proxy-3': ['proxy'],
};

/**
 * Checks all files of `lib` and `bin`, given by path from the root of the project, and returns every
 * violation, in the order of the files.
 */
export function checkArchitecture(files: ReadonlyMap<string, string>): Violation[] {
  const edges = [...files].flatMap(([file, source]) =>
    scanImports(source).map((found) => toEdge(file, found)),
  );
  const violations = [
    ...edges.flatMap(checkEdge),
    ...findCycles(edges.filter((edge) => edge.from.startsWith('lib/') && files.has(edge.to))),
    ...[...files].flatMap(([file, source]) => checkFile(file, source)),
  ];
  return violations.sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line);
}

/** A violation on one line: file, line, rule, and what was found there. */
export function formatViolation({ file, line, rule, found }: Violation): string {
  return `${file}:${line}: ${rule}, but ${found}`;
}

function toEdge(from: string, { specifier, line }: ScannedImport): Edge {
  const isRelative = specifier.startsWith('.');
  const to = isRelative ? posix.join(posix.dirname(from), specifier) : specifier;
  return { from, to, isRelative, line };
}

/** `bin`, the name of a folder of `lib`, or nothing for what belongs to neither. */
function layerOf(path: string): string {
  const [top, folder, ...rest] = path.split('/');
  if (top === 'bin') return 'bin';
  return top === 'lib' && rest.length > 0 ? (folder ?? '') : '';
}

function checkEdge(edge: Edge): Violation[] {
  const rule = edge.isRelative ? findLayerRule(edge) : findModuleRule(edge);
  if (rule === null) return [];
  return [{ file: edge.from, line: edge.line, rule, found: `it imports ${edge.to}` }];
}

function findLayerRule({ from, to }: Edge): string | null {
  const source = layerOf(from);
  const target = layerOf(to);
  if (target === 'bin') return 'nothing imports from bin';
  if (source === 'core' && target !== 'core') return 'core imports nothing from outside core';
  if (FORBIDDEN_LAYERS[source]?.includes(target)) return `${source} does not import from ${target}`;
  return null;
}

function findModuleRule({ from, to }: Edge): string | null {
  const layer = layerOf(from);
  const name = moduleOf(to);
  if (layer === 'core' && name !== 'typebox') return 'core imports no module but typebox';
  const owners = RESERVED_MODULES[name];
  if (owners === undefined || owners.includes(layer)) return null;
  return `only ${owners.join(' and ')} may import ${name}`;
}

/** The package of a specifier such as `typebox/compile` or `@scope/name/part`. */
function moduleOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

function checkFile(file: string, source: string): Violation[] {
  if (!file.startsWith('lib/')) return [];
  const violations: Violation[] = [];
  const lines = source.trimEnd().split('\n').length;
  if (lines > MAX_LINES) {
    const rule = `a file of lib has at most ${MAX_LINES} lines`;
    violations.push({ file, line: MAX_LINES + 1, rule, found: `it has ${lines}` });
  }
  if (layerOf(file) === 'core' && isBarrel(source)) {
    violations.push({ file, line: 1, rule: 'core has no barrel files', found: 'it only re-exports' });
  }
  return violations;
}

/**
 * Finds import cycles by a depth-first search: an import that leads back into the chain of files being
 * visited closes one. At least one cycle is found in every group of files that import each other.
 */
function findCycles(edges: readonly Edge[]): Violation[] {
  const edgesByFile = Map.groupBy(edges, (edge) => edge.from);
  const violations: Violation[] = [];
  const finished = new Set<string>();
  const chain: string[] = [];
  const visit = (file: string): void => {
    chain.push(file);
    for (const edge of edgesByFile.get(file) ?? []) {
      const start = chain.indexOf(edge.to);
      if (start !== -1) violations.push(describeCycle(edge, [...chain.slice(start), edge.to]));
      else if (!finished.has(edge.to)) visit(edge.to);
    }
    chain.pop();
    finished.add(file);
  };
  for (const file of edgesByFile.keys()) if (!finished.has(file)) visit(file);
  return violations;
}

function describeCycle(edge: Edge, cycle: readonly string[]): Violation {
  const rule = 'imports make no cycle';
  return { file: edge.from, line: edge.line, rule, found: `they do: ${cycle.join(' → ')}` };
}

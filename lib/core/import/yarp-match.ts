/** The match of a YARP route. A match never becomes wider here than it was, but for constraints of parameters. */
import type { RouteMatch, RoutePredicate } from '../config/model.ts';
import { TOKEN_PATTERN } from '../config/patterns.ts';
import { quoteText } from '../config/quote-text.ts';
import { matchesPattern } from '../config/schema-node.ts';
import { parseHostPattern } from '../routing/host-pattern.ts';
import { findPredicateProblem } from '../routing/predicates.ts';
import { SectionReader } from './section-reader.ts';
import { type ImportedPath, importPath, type ParameterNames } from './yarp-path.ts';

export interface ImportedMatch {
  readonly match: RouteMatch;
  readonly parameters: ParameterNames;
}

const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);
const PREDICATE_MODES: ReadonlyMap<string, NonNullable<RoutePredicate['mode']>> = new Map([
  ['exact', 'exact'],
  ['exactheader', 'exact'],
  ['prefix', 'prefix'],
  ['headerprefix', 'prefix'],
  ['contains', 'contains'],
  ['notcontains', 'notExists'],
  ['exists', 'exists'],
  ['notexists', 'notExists'],
]);

/** Null where it cannot be said here what the route takes, or not narrowly enough; then the notes say why. */
export function importMatch(section: SectionReader): ImportedMatch | null {
  const path = readPath(section);
  const hosts = readHosts(section);
  const methods = readMethods(section);
  const headers = readPredicates(section, 'Headers');
  const query = readPredicates(section, 'QueryParameters');
  section.noteUnread();
  if (path === null || hosts === null || methods === null || headers === null || query === null) return null;
  const match: RouteMatch = {
    ...(hosts.length > 0 && { hosts }),
    ...(path.path !== '' && { path: path.path }),
    ...(methods.length > 0 && { methods }),
    ...(headers.length > 0 && { headers }),
    ...(query.length > 0 && { query }),
  };
  return { match, parameters: path.parameters };
}

/** Without a path any matches, and it can still be used in a pattern under this name. */
const ANY_PATH: ImportedPath = {
  path: '',
  parameters: new Map([['catchall', { name: 'catchall', isRest: true }]]),
  remarks: [],
};

function readPath(section: SectionReader): ImportedPath | null {
  const text = section.filledText('Path');
  if (text === null) return ANY_PATH;
  const { value, problem } = importPath(text);
  if (value === null) section.note('Path', `${quoteText(text)} cannot be matched here: ${problem}`);
  for (const remark of value?.remarks ?? []) section.note('Path', remark);
  return value;
}

/** Null where no host is left of some: a route for one host must not become one for all. */
function readHosts(section: SectionReader): string[] | null {
  const given = section.texts('Hosts').filter(({ text }) => text !== '');
  const hosts = new Set<string>();
  let isAny = given.length === 0;
  for (const { text, pointer } of given) {
    const { name, port } = splitPort(text);
    if (port !== null && port !== '*') {
      section.notes.add(pointer, `hosts match without their port here: ${quoteText(port)} was dropped`);
    }
    if (name === '*') {
      isAny = true;
      continue;
    }
    const { problem } = parseHostPattern(name);
    if (problem === null) hosts.add(name);
    else section.notes.add(pointer, `the host was left out: ${problem}`);
  }
  if (isAny) return [];
  return hosts.size === 0 ? null : [...hosts];
}

function splitPort(text: string): { name: string; port: string | null } {
  const match = /^(.*):(\d+|\*)$/.exec(text);
  const name = match?.[1] ?? '';
  // An IPv6 address has colons of its own, unless it stands in brackets.
  if (match === null || (name.includes(':') && !name.endsWith(']'))) return { name: text, port: null };
  return { name, port: match[2] ?? null };
}

/** Null where no method is left of some. */
function readMethods(section: SectionReader): string[] | null {
  const given = section.texts('Methods').filter(({ text }) => text !== '');
  const methods = new Set<string>();
  for (const { text, pointer } of given) {
    const method = text.toUpperCase();
    if (REFUSED_METHODS.has(method))
      section.notes.add(pointer, `${method} is never routed here: it was left out`);
    else if (matchesPattern(TOKEN_PATTERN, method)) methods.add(method);
    else section.notes.add(pointer, `${quoteText(text)} is no method: it was left out`);
  }
  return given.length > 0 && methods.size === 0 ? null : [...methods];
}

/** Null where one of them cannot be said here: without it the route would take more than it did. */
function readPredicates(
  section: SectionReader,
  name: 'Headers' | 'QueryParameters',
): RoutePredicate[] | null {
  const items = section.items(name);
  const predicates = items.flatMap(({ value, pointer }) => {
    const reader = new SectionReader(value, pointer, section.notes);
    return readPredicate(reader, name === 'Headers') ?? [];
  });
  return predicates.length < items.length ? null : predicates;
}

function readPredicate(reader: SectionReader, isHeader: boolean): RoutePredicate | null {
  const name = reader.filledText('Name');
  const modeText = reader.filledText('Mode') ?? 'exact';
  const values = reader.texts('Values').map(({ text }) => text);
  const isCaseSensitive = reader.flag('IsCaseSensitive');
  reader.noteUnread();
  const mode = PREDICATE_MODES.get(modeText.toLowerCase());
  if (name === null || (isHeader && !matchesPattern(TOKEN_PATTERN, name))) {
    reader.note('Name', 'is missing or unusable');
    return null;
  }
  if (mode === undefined) {
    reader.note('Mode', `${quoteText(modeText)} is unknown`);
    return null;
  }
  noteDifferences(reader, modeText, isCaseSensitive, values);
  const isAboutPresence = mode === 'exists' || mode === 'notExists';
  const predicate = { name, mode, ...(!isAboutPresence && values.length > 0 && { values }) };
  const problem = findPredicateProblem(predicate);
  if (problem !== null) reader.notes.add(reader.pointer, problem);
  return problem === null ? predicate : null;
}

function noteDifferences(
  reader: SectionReader,
  mode: string,
  isCaseSensitive: boolean,
  values: readonly string[],
): void {
  if (mode.toLowerCase() === 'notcontains') {
    reader.note('Mode', 'there is no NotContains here: only requests without it match now');
  } else if (!isCaseSensitive && values.some((value) => value.toLowerCase() !== value.toUpperCase())) {
    reader.note('IsCaseSensitive', 'values are compared case-sensitively here');
  }
}

/** `gateway import yarp FILE`: makes a configuration of one of YARP. */
import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import type { ImportNote } from '../core/import/note-list.ts';
import { fileError } from '../store/file-error.ts';
import { blankJsonExtras } from './blank-json-extras.ts';
import { EXIT } from './exit-codes.ts';
import { printErrorLines } from './output.ts';

/** True of every configuration, so no reason for another exit code. */
const GENERAL_DIFFERENCES = `
These are different for every route:
  - paths are case-sensitive, and /a and /a/ are two paths
  - the value of a header is compared as a whole, also where it is a list
  - request bodies may have any size unless limits.maxBodyBytes says otherwise (ASP.NET Core: 30 MB)
`;

const EXIT_CODES = `
Exit code: 0 when all was carried over, 2 when something was not (standard error says what and where), 1 when
the file could not be read.
`;

/** Adds `import yarp` to the command line. */
export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description("turn another gateway's configuration into one of ours")
    .command('yarp')
    .description('print what an appsettings.json of YARP says, as YAML')
    .argument('<file>', 'appsettings.json, with a section ReverseProxy')
    .option('--json', 'print JSON', false)
    .addHelpText('after', GENERAL_DIFFERENCES + EXIT_CODES)
    .action(async (file: string, options: { json: boolean }) => {
      process.exitCode = await runImportYarp(file, options.json);
    });
}

/** Prints the configuration on standard output and what is missing of it on standard error. @returns the exit code */
async function runImportYarp(file: string, json: boolean): Promise<number> {
  // With it comes the schema, which is large and of no use to the other commands.
  const { findYarpSection, importYarp } = await import('../core/import/yarp.ts');
  const { settings, problems } = await readSettings(file);
  const found = problems.length > 0 ? null : findYarpSection(settings);
  if (found === null) {
    const complaints =
      problems.length > 0 ? problems.map(describeProblem) : [`it has no section "ReverseProxy"`];
    printErrorLines(complaints.map((complaint) => `error: ${file}: ${complaint}`));
    return EXIT.failed;
  }
  const { document, notes } = importYarp(found.section);
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : await yamlOf(document));
  printNotes(notes, found.pointer);
  return notes.length === 0 ? EXIT.ok : EXIT.different;
}

async function yamlOf(document: unknown): Promise<string> {
  const { formatYaml } = await import('./yaml-text.ts');
  return formatYaml(document);
}

function describeProblem(problem: Problem): string {
  return problem.pointer === '' ? problem.message : formatProblem(problem);
}

interface ReadSettings {
  readonly settings: unknown;
  /** Why there are none. */
  readonly problems: readonly Problem[];
}

async function readSettings(file: string): Promise<ReadSettings> {
  const { findSizeProblem, parseDocument } = await import('../store/parse-document.ts');
  try {
    const tooLarge = findSizeProblem((await stat(file)).size, 'json');
    if (tooLarge !== null) return { settings: null, problems: [tooLarge] };
    const { document, problems } = parseDocument(blankJsonExtras(await readFile(file, 'utf8')), 'json');
    return { settings: document, problems };
  } catch (error) {
    return { settings: null, problems: [{ pointer: '', message: fileError('read', file, error).message }] };
  }
}

function printNotes(notes: readonly ImportNote[], sectionPointer: string): void {
  if (notes.length > 0) process.stderr.write('What was not carried over, or is different now:\n');
  for (const { pointer, message } of notes) {
    const note = formatProblem({ pointer: sectionPointer + pointer, message });
    printErrorLines([`  ${note}`]);
  }
  process.stderr.write(GENERAL_DIFFERENCES);
}

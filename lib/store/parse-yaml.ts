/** YAML text to plain values: YAML 1.2, core schema, string keys only, each key once. */
import { Composer, type Document, Lexer, Parser, type YAMLError } from 'yaml';
import type { Problem } from '../core/config/problem.ts';
import { MAX_NESTING, MAX_PROBLEMS, MAX_YAML_TOKENS } from './document-limits.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { describeLocation } from './text-location.ts';
import { YamlNodeReader } from './yaml-node-reader.ts';

const OPTIONS = {
  version: '1.2',
  schema: 'core',
  strict: true,
  stringKeys: true,
  // The library compares each key with all before it, which is quadratic; YamlNodeReader checks them.
  uniqueKeys: false,
  // No !!binary, !!set and the like: they make values that JSON cannot carry.
  resolveKnownTags: false,
  logLevel: 'silent',
} as const;

/** Parses YAML text and reports every syntax error. A text without content is `{}`. */
export function parseYaml(text: string): ParsedDocument {
  const problems: Problem[] = [];
  const report = (message: string, offset: number): void => {
    if (problems.length >= MAX_PROBLEMS) return;
    problems.push({ pointer: '', message: `${message} at ${describeLocation(text, offset)}` });
  };
  const document = readYaml(text, report);
  return { document: problems.length === 0 ? document : undefined, problems };
}

type Report = (message: string, offset: number) => void;

function readYaml(text: string, report: Report): unknown {
  const composed = new Composer(OPTIONS).compose(parseWithinLimits(text), true, text.length);
  let first: Document.Parsed | null = null;
  try {
    for (const document of composed) {
      if (first !== null) {
        report('a second YAML document begins (a configuration is one document)', document.range[0]);
        break;
      }
      first = document;
      for (const error of document.errors) report(describeError(error), error.pos[0]);
      for (const warning of document.warnings) report(describeError(warning), warning.pos[0]);
    }
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    report(error.message, error.offset);
  }
  return first === null ? undefined : readContents(first, report);
}

function readContents(document: Document.Parsed, report: Report): unknown {
  if (document.errors.length > 0) return undefined;
  const contents = document.contents;
  // Nothing, or nothing but comments and `---`.
  if (contents === null || (contents.range[0] === contents.range[1] && !contents.tag)) return {};
  return new YamlNodeReader(report).read(contents);
}

class LimitError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * The library's parser keeps its own stack, but its composer recurses: text nested deeply enough
 * overflows the stack there, which V8 does not always survive. So the depth is bounded before it.
 */
function* parseWithinLimits(text: string): ReturnType<Parser['parse']> {
  const parser = new Parser();
  let tokenCount = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    tokenCount += 1;
    if (tokenCount > MAX_YAML_TOKENS) {
      throw new LimitError(`more than ${MAX_YAML_TOKENS} YAML tokens (write it as JSON)`, parser.offset);
    }
    // The stack also holds the document and a scalar or two; YamlNodeReader counts the levels exactly.
    if (parser.stack.length > MAX_NESTING + 10) {
      throw new LimitError(`nested deeper than ${MAX_NESTING} levels`, parser.offset);
    }
  }
  yield* parser.end();
}

function describeError(error: YAMLError): string {
  switch (error.code) {
    case 'NON_STRING_KEY':
      return 'a key that is not a string';
    case 'TAG_RESOLVE_FAILED':
      return `${error.message} (tags are not used in a configuration: leave it out)`;
    default:
      return error.message;
  }
}

/** Text of a configuration document in, plain objects and arrays out, with every problem on the way. */
import { extname } from 'node:path';
import type { Problem } from '../core/config/problem.ts';
import { MAX_JSON_BYTES, MAX_YAML_BYTES } from './document-limits.ts';
import { parseJson } from './parse-json.ts';
import { parseYaml } from './parse-yaml.ts';
import type { ParsedDocument } from './parsed-document.ts';

export type DocumentFormat = 'yaml' | 'json';

/** The format that a file's name stands for: `.json` is JSON, anything else YAML. */
export function formatOf(path: string): DocumentFormat {
  return extname(path).toLowerCase() === '.json' ? 'json' : 'yaml';
}

/**
 * Parses a configuration document; it does not validate it. Never throws: whatever is wrong with the
 * text (syntax, duplicate keys, size, nesting, several YAML documents) is in `problems`, with line and
 * column. A YAML text without content is the empty document.
 */
export function parseDocument(text: string, format: DocumentFormat): ParsedDocument {
  const tooLarge = findSizeProblem(Buffer.byteLength(text), format);
  if (tooLarge !== null) return { document: undefined, problems: [tooLarge] };
  const withoutByteOrderMark = text.startsWith('\ufeff') ? text.slice(1) : text;
  return format === 'json' ? parseJson(withoutByteOrderMark) : parseYaml(withoutByteOrderMark);
}

/** What is wrong with a document of this many bytes; null where it is small enough to be parsed. */
export function findSizeProblem(sizeBytes: number, format: DocumentFormat): Problem | null {
  const limitBytes = format === 'json' ? MAX_JSON_BYTES : MAX_YAML_BYTES;
  if (sizeBytes <= limitBytes) return null;
  return {
    pointer: '',
    message: `the document has ${sizeBytes} bytes, the limit for ${format.toUpperCase()} is ${limitBytes}`,
    hint: format === 'json' ? 'split the configuration' : `write it as JSON: the limit is ${MAX_JSON_BYTES}`,
  };
}

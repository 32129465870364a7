/** One import of a source file, as its text says it. */
export interface ScannedImport {
  readonly specifier: string;
  /** Counted from 1. */
  readonly line: number;
}

const CLAUSE = String.raw`(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\*\s*as\s+[\w$]+|\{[^}]*\})?\s*from\s*`;
const EXPORT_CLAUSE = String.raw`(?:type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*`;
const SPECIFIER = String.raw`(['"])([^'"\n]+)\1`;
/** `import … from`, `export … from`, `import '…'`: each begins a line in formatted code. */
const STATIC_IMPORT = new RegExp(
  String.raw`^[ \t]*(?:import\s*(?:${CLAUSE})?|export\s*${EXPORT_CLAUSE})${SPECIFIER}`,
  'gm',
);
/** `import('…')`, also in types, and `require('…')`. */
const CALLED_IMPORT = new RegExp(String.raw`\b(?:import|require)\s*\(\s*${SPECIFIER}`, 'g');

/**
 * Finds what a file imports by its text: static imports and re-exports, of types too, and dynamic
 * imports of a literal. Lines are those of the specifiers.
 */
export function scanImports(source: string): ScannedImport[] {
  const text = blankComments(source);
  const matches = [...text.matchAll(STATIC_IMPORT), ...text.matchAll(CALLED_IMPORT)];
  const imports = matches.map((match) => ({
    specifier: match[2] ?? '',
    line: lineAt(text, match.index + match[0].length),
  }));
  return imports.sort((one, other) => one.line - other.line);
}

/** Replaces comments by spaces, so that lines keep their numbers; comments that end a line of code stay. */
function blankComments(source: string): string {
  return source.replace(/^[ \t]*\/\*[\s\S]*?\*\/|^[ \t]*\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, ' '),
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** True where a file does nothing but pass on what other files export. */
export function isBarrel(source: string): boolean {
  const statement = new RegExp(
    String.raw`^[ \t]*(?:import\s*(?:${CLAUSE})?${SPECIFIER}|export\s*(?:type\s+)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})(?:\s*from\s*(['"])[^'"\n]+\3)?)\s*;?`,
    'gm',
  );
  const text = blankComments(source);
  return /^[ \t]*export\b/m.test(text) && text.replace(statement, '').trim() === '';
}

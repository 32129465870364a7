import { Document, isScalar, Scalar, visit } from 'yaml';
import { escapeUnprintable, needsEscape } from './output.ts';

/** A value as YAML that can be shown on a terminal and read back as the same. */
export function formatYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  // Only within double quotes can such a character be written as an escape.
  visit(document, (_key, node) => {
    if (isScalar(node) && typeof node.value === 'string' && needsEscape(node.value)) {
      node.type = Scalar.QUOTE_DOUBLE;
    }
  });
  // Long texts stay on one line: folded ones are hard to compare.
  const layout = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER };
  return escapeUnprintable(document.toString(layout));
}

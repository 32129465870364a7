/** Tables for people at a terminal: aligned columns, no borders. */
import { printable } from './output.ts';

const GAP = '  ';

/**
 * One line for the headers and one for each row, each ended by a line feed; a row may have fewer cells than
 * there are headers. Control characters, which a terminal would obey, are shown as `?`.
 */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headers, ...rows].map((cells) => headers.map((_, column) => printable(cells[column] ?? '')));
  const widths = headers.map((_, column) => widthOf(lines, column));
  return lines.map((cells) => `${formatLine(cells, widths)}\n`).join('');
}

function widthOf(lines: readonly (readonly string[])[], column: number): number {
  return lines.reduce((widest, cells) => Math.max(widest, (cells[column] ?? '').length), 0);
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(GAP)
    .trimEnd();
}

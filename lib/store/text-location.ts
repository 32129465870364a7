const LINE_FEED = '\n';

/** Where a character stands in a text, both counted from 1 as editors do: `line 3, column 7`. */
export function describeLocation(text: string, offset: number): string {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf(LINE_FEED); at !== -1 && at < offset; at = text.indexOf(LINE_FEED, at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return `line ${line}, column ${offset - lineStart + 1}`;
}

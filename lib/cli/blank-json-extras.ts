const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"?/sy;
const LINE_COMMENT = /\/\/[^\r\n]*/y;
const BLOCK_COMMENT = /\/\*.*?(?:\*\/|$)/sy;
const WHITE_SPACE = /[ \t\r\n]*/y;

/**
 * Makes strict JSON of what .NET reads from settings files, which may have comments and trailing commas:
 * they become spaces, so that every other character stays where it is and an error names the right place.
 * What else is wrong with the text stays wrong.
 */
export function blankJsonExtras(text: string): string {
  const parts: string[] = [];
  /** The last comma, while nothing but white space and comments has followed. */
  let commaPart = -1;
  let index = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = index;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (index < text.length) {
    const blank = take(LINE_COMMENT) ?? take(BLOCK_COMMENT);
    const space = take(WHITE_SPACE) ?? '';
    const token = blank ?? (space === '' ? (take(STRING) ?? text.charAt(index)) : space);
    if (blank === null && space === '') {
      if (commaPart >= 0 && (token === '}' || token === ']')) parts[commaPart] = ' ';
      commaPart = token === ',' ? parts.length : -1;
    }
    parts.push(blank === null ? token : blankOut(blank));
    index += token.length;
  }
  return parts.join('');
}

function blankOut(comment: string): string {
  return comment.replace(/[^\r\n]/g, ' ');
}

const MAX_LINE_CHARACTERS = 1_048_576;

/**
 * Makes lines of text that arrives in any pieces; one longer than a mebibyte is cut. Not `node:readline`,
 * which also breaks lines at characters that JSON may hold.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) if (line !== '') this.#onLine(line);
  }
}

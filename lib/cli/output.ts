/** What commands print. Nothing that came from elsewhere may give orders to the terminal it is shown on. */

/** Control characters, and those that turn the direction of writing around and make text look like another. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** The same without those that JSON escapes by itself, or that are its line feeds and indentation. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu;

/** One line of text as it may be shown: what a terminal would obey is a `?`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '?');
}

export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''));
}

export function printErrorLines(lines: readonly string[]): void {
  process.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''));
}

export function printJson(value: unknown): void {
  process.stdout.write(`${escapeUnprintable(JSON.stringify(value, null, 2))}\n`);
}

/** Writes such characters as `\\u009b`: in text where all of them are within double quotes. */
export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether `escapeUnprintable` would change it. */
export function needsEscape(text: string): boolean {
  return text.search(UNPRINTABLE_IN_JSON) >= 0;
}

/** `1 route`, `2 routes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * A reader that has seen enough, such as `head`, is no reason to end in the middle of the work. Any other
 * failure to write is one of the command: what is missing may not pass for complete.
 */
export function watchOutput(): void {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return;
    process.stderr.write(`fengling-gateway: the output cannot be written: ${message}\n`);
    process.on('exit', () => {
      process.exitCode = 1;
    });
  });
  process.stderr.on('error', () => {});
}

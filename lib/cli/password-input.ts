const MAX_BYTES = 1_024;
const HOW =
  'give the password on standard input, as in: read -rs password; printf %s "$password" | gateway credential password';
const CONTROL = /\p{Cc}/u;

/** Where bytes come from; a terminal would show what is typed. */
interface PasswordInput extends AsyncIterable<Buffer> {
  readonly isTTY?: boolean;
}

/**
 * Reads a password: all that comes, but for a line feed at the end.
 * @returns it normalised to NFC, as it is compared
 * @throws Error where there is none, or none that a client could send (RFC 7617 §2)
 */
export async function readPassword(input: PasswordInput): Promise<string> {
  if (input.isTTY === true) throw new Error(HOW);
  const password = decode(await readBytes(input)).replace(/\r?\n$/, '');
  if (password === '') throw new Error(`there is no password: ${HOW}`);
  if (CONTROL.test(password)) {
    throw new Error('the password has line feeds or other controls in it, which no client could send');
  }
  return password.normalize('NFC');
}

async function readBytes(input: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of input) {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new Error(`the password is longer than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('the password is not UTF-8');
  }
}

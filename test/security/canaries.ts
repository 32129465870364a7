/** Secrets that are made for one test run and must turn up nowhere. */
import { randomBytes } from 'node:crypto';

export class Canaries {
  /** From the text to look for to what it is. */
  readonly #names = new Map<string, string>();

  /** A new secret that reads the same in URLs, headers, JSON and Base64 alphabets. */
  make(name: string): string {
    return this.watch(name, randomBytes(32).toString('hex'));
  }

  /** Looks for this text from now on, and for its Base64. Returns the text. */
  watch(name: string, text: string): string {
    this.#names.set(text, name);
    this.#names.set(Buffer.from(text).toString('base64'), `${name}, in Base64`);
    return text;
  }

  /** Looks for the key in a PEM text, whichever way its line ends are written. Returns the text. */
  watchPem(name: string, pem: string): string {
    const [line = ''] = pem.split('\n').filter((text) => text !== '' && !text.startsWith('-----'));
    this.#names.set(line, name);
    return pem;
  }

  /** Looks for a JWT by its signature, without which it is worth nothing. Returns the token. */
  watchToken(name: string, token: string): string {
    this.#names.set(token.slice(token.lastIndexOf('.') + 1), name);
    return token;
  }

  /** What of them is in a text, by name. */
  findIn(text: string): string[] {
    return [...this.#names].filter(([secret]) => text.includes(secret)).map(([, name]) => name);
  }
}

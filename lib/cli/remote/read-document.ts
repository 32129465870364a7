/** The files that `apply` and `diff` take. */
import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { ConfigFileStore } from '../../store/config-file-store.ts';
import { UnreadableStoreError } from '../../store/config-store.ts';
import { formatOf, parseDocument } from '../../store/parse-document.ts';
import { InvalidDocumentError, STANDARD_INPUT } from './invalid-document.ts';

/**
 * Reads a configuration file, or standard input where `file` is `-`. It is parsed, and not validated.
 * @throws InvalidDocumentError, Error
 */
export async function readDocument(file: string): Promise<unknown> {
  if (file === STANDARD_INPUT) return parse(file, await buffer(process.stdin));
  if (await isPipe(file)) return parse(file, await readFile(file));
  try {
    return (await new ConfigFileStore(file).read()).document;
  } catch (error) {
    // Where nothing was read the message says it all.
    if (!(error instanceof UnreadableStoreError) || error.cause !== undefined) throw error;
    throw new InvalidDocumentError(file, error.problems);
  }
}

/** What a shell makes of `<(…)`. */
async function isPipe(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFIFO();
  } catch {
    return false;
  }
}

function parse(file: string, bytes: Buffer): unknown {
  const text = decode(file, bytes);
  // There is no name to tell the format by.
  const format = /^\s*\{/.test(text) ? 'json' : formatOf(file);
  const { document, problems } = parseDocument(text, format);
  if (problems.length > 0) throw new InvalidDocumentError(file, problems);
  return document;
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidDocumentError(file, [{ pointer: '', message: 'it is not UTF-8' }]);
  }
}

/** A certificate authority for tests, by the `openssl` command. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

const run = promisify(execFile);

const KEY_KINDS = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
} as const;

export interface IssueOptions {
  /** In the form of openssl, such as `/O=Acme/CN=alice`. */
  readonly subject?: string;
  /** DNS names; a client certificate has none. */
  readonly names?: readonly string[];
  readonly key?: keyof typeof KEY_KINDS;
  /** Valid until yesterday. */
  readonly expired?: boolean;
}

/** The files, and what is in them. */
export interface IssuedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export class TestAuthority {
  readonly caFile: string;
  readonly ca: string;
  readonly #directory: string;
  readonly #keyFile: string;

  constructor(directory: string, caFile: string, keyFile: string, ca: string) {
    this.#directory = directory;
    this.caFile = caFile;
    this.#keyFile = keyFile;
    this.ca = ca;
  }

  async issue(options: IssueOptions = {}): Promise<IssuedCertificate> {
    const base = join(this.#directory, randomUUID());
    const [certFile, keyFile, requestFile] = [`${base}.pem`, `${base}.key`, `${base}.csr`];
    const { subject = '/CN=Test', names = [], key = 'ecdsa', expired = false } = options;
    const alternative =
      names.length === 0 ? [] : ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`];
    await openssl(
      ...['req', '-new', '-utf8', '-nodes', '-subj', subject, ...KEY_KINDS[key], ...alternative],
      ...['-keyout', keyFile, '-out', requestFile],
    );
    await openssl(
      ...['x509', '-req', '-copy_extensions', 'copyall', '-in', requestFile, '-out', certFile],
      ...['-CA', this.caFile, '-CAkey', this.#keyFile, '-days', expired ? '-1' : '2'],
    );
    return {
      certFile,
      keyFile,
      cert: await readFile(certFile, 'utf8'),
      key: await readFile(keyFile, 'utf8'),
    };
  }
}

/** Makes an authority whose files go with the test. */
export async function createAuthority(owner: TestOwner, name = 'Test authority'): Promise<TestAuthority> {
  const directory = await createTemporaryDirectory(owner);
  const [caFile, keyFile] = [join(directory, 'ca.pem'), join(directory, 'ca.key')];
  await openssl(
    ...['req', '-x509', '-nodes', '-days', '2', '-subj', `/CN=${name}`, ...KEY_KINDS.ecdsa],
    ...['-keyout', keyFile, '-out', caFile],
  );
  return new TestAuthority(directory, caFile, keyFile, await readFile(caFile, 'utf8'));
}

/** Puts one file in the place of another, in one step. */
export async function replaceWith(file: string, source: string): Promise<void> {
  await copyFile(source, `${file}.new`);
  await rename(`${file}.new`, file);
}

async function openssl(...options: readonly string[]): Promise<void> {
  try {
    await run('openssl', options, { timeout: 10_000 });
  } catch (error) {
    throw new Error('cannot make a test certificate: is `openssl` 3 installed?', { cause: error });
  }
}

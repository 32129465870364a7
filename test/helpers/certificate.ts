import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TestOwner } from './test-owner.ts';

const run = promisify(execFile);

export interface TestCertificate {
  /** PEM texts: the authority to trust, and the key and certificate of the server. */
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
  /** Where those texts are, for processes that want files. */
  readonly caFile: string;
  readonly keyFile: string;
  readonly certFile: string;
}

/**
 * Makes a certificate authority and a server certificate of it, valid for two days and for `names`, by
 * the `openssl` command. The files go with the test.
 */
export async function createCertificate(
  owner: TestOwner,
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
): Promise<TestCertificate> {
  const directory = await createTemporaryDirectory(owner);
  const [caFile, caKeyFile] = [join(directory, 'ca.pem'), join(directory, 'ca.key')];
  const [certFile, keyFile] = [join(directory, 'server.pem'), join(directory, 'server.key')];
  await makeCertificate(['-subj', '/CN=Test authority', '-keyout', caKeyFile, '-out', caFile]);
  const signing = ['-CA', caFile, '-CAkey', caKeyFile, '-addext', 'basicConstraints=critical,CA:FALSE'];
  const subject = ['-subj', '/CN=Test server', '-addext', `subjectAltName=${names.join(',')}`];
  await makeCertificate([...signing, ...subject, '-keyout', keyFile, '-out', certFile]);
  const [ca, key, cert] = await Promise.all(
    [caFile, keyFile, certFile].map((file) => readFile(file, 'utf8')),
  );
  return { ca: ca ?? '', key: key ?? '', cert: cert ?? '', caFile, keyFile, certFile };
}

/** Needs OpenSSL 3, whose `req -x509` can sign with another key than that of the certificate. */
async function makeCertificate(options: readonly string[]): Promise<void> {
  const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    await run('openssl', ['req', '-x509', '-days', '2', ...elliptic, ...options], { timeout: 10_000 });
  } catch (error) {
    throw new Error('cannot make a test certificate: is `openssl` 3 installed?', { cause: error });
  }
}

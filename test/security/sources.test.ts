/** No secret is kept beside the sources: tests make theirs, examples have none. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What is built, installed or kept by a run. */
const PASSED_OVER = new Set(['node_modules', 'dist', '.git', '.tap', '.gateway', '.gateway-demo']);
const MAX_BYTES = 4_194_304;

const SECRET_FILES = /\.(?:pem|key|p12|pfx|jks|kdbx|token)$|^id_(?:rsa|ecdsa|ed25519)$|^\.env|^\.netrc$/;

/** What secrets look like. Each is written so that it does not find itself. */
const SECRETS: Readonly<Record<string, RegExp>> = {
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/=]{40}/,
  'the private part of a JWK': /"?\bd"?\s*:\s*["'][\w-]{40,}["']/,
  'a JWT with its signature': /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
  'a token of this gateway': /\bfgw_[\w-]{43}/,
  'an API key of this gateway': /\bfgk_[\w-]{43}/,
  'a key of AWS': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  'a key of Google': /\bAIza[\w-]{35}/,
  'a token of GitHub': /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})/,
  'a token of GitLab': /\bglpat-[\w-]{20}/,
  'a token of npm': /\bnpm_[A-Za-z0-9]{36}|_authToken\s*=\s*\w/,
  'a token of Slack': /\bxox[abprs]-[\w-]{10,}/,
  'a URL with a password': /\b(?:https?|rediss?):\/\/[\w.-]*:[\w%+-]{8,}@[\w-]*[a-z][\w-]*\.[\w.-]+/,
};

function listFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (PASSED_OVER.has(entry.name)) return [];
    if (entry.isDirectory()) return listFiles(path);
    return entry.isFile() && statSync(path).size <= MAX_BYTES ? [path] : [];
  });
}

function findSecrets(text: string): string[] {
  return Object.keys(SECRETS).filter((what) => SECRETS[what]?.test(text));
}

const files = listFiles(ROOT);

t.test('no file is one that secrets are kept in', async (t) => {
  t.ok(files.length > 500, 'the sources were found');
  t.same(
    files.filter((path) => SECRET_FILES.test(basename(path))).map((path) => relative(ROOT, path)),
    [],
  );
});

t.test('no file holds what looks like a secret', async (t) => {
  const findings = files.flatMap((path) =>
    findSecrets(readFileSync(path, 'utf8')).map((what) => `${relative(ROOT, path)}: ${what}`),
  );
  t.same(findings, []);
});

t.test('secrets would be found', async (t) => {
  const text = 'A'.repeat(64);
  const examples = {
    'a private key': `-----BEGIN EC PRIVATE KEY-----\n${text}`,
    'the private part of a JWK': `{ "kty": "OKP", "d": "${text}" }`,
    'a JWT with its signature': `Bearer eyJ${text}.eyJ${text}.${text}`,
    'a token of this gateway': `fgw_${text}`,
    'an API key of this gateway': `"fgk_${text}"`,
    'a key of AWS': `AKIA${text.slice(0, 16)}`,
    'a key of Google': `AIza${text.slice(0, 35)}`,
    'a token of GitHub': `ghp_${text.slice(0, 36)}`,
    'a token of GitLab': `glpat-${text}`,
    'a token of npm': `npm_${text.slice(0, 36)}`,
    'a token of Slack': `xoxb-${text}`,
    'a URL with a password': `https://user:${text}@example.com`,
  };
  t.same(Object.keys(examples), Object.keys(SECRETS));
  for (const [what, example] of Object.entries(examples)) t.same(findSecrets(example), [what]);
});

/** The rules for the public keys of an issuer: those in the document, and where others are fetched. */
import { isRestrictedAddress } from '../policy/restricted-addresses.ts';
import {
  addressOf,
  hasUnsafeCharacter,
  isLoopbackHost,
  RESTRICTED_HINT,
  RESTRICTED_MESSAGE,
} from './destination-url.ts';
import type { JwtAlgorithm } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';

/** Members that only private keys have (RFC 7518 §6.2.2, §6.3.2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;
/** What a public key is made of, by its type (RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2). */
const PUBLIC_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['x', 'y']],
  ['OKP', ['x']],
]);
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** 2048 bits (RFC 7518 §3.3), six to a letter. */
const MIN_MODULUS_LETTERS = 342;
const CURVES: ReadonlyMap<JwtAlgorithm, readonly string[]> = new Map([
  ['ES256', ['P-256']],
  ['ES384', ['P-384']],
  ['ES512', ['P-521']],
  ['EdDSA', ['Ed25519', 'Ed448']],
]);

type JsonWebKey = Readonly<Record<string, unknown>>;

/** Checks the keys of a JSON Web Key Set that stands in the document. No value of a key is ever quoted. */
export function checkPublicKeys(
  pointer: string,
  keys: readonly JsonWebKey[],
  algorithms: readonly JwtAlgorithm[],
  problems: ProblemList,
): void {
  const ids = new Set<unknown>();
  for (const [index, key] of keys.entries()) {
    checkPublicKey(`${pointer}/${index}`, key, problems);
    if (key.kid !== undefined && ids.has(key.kid)) {
      const message = 'has the "kid" of another key: a token could not say which it means';
      problems.add(`${pointer}/${index}`, message, 'keep one of them');
    }
    ids.add(key.kid);
  }
  if (!keys.some((key) => algorithms.some((algorithm) => fitsAlgorithm(key, algorithm)))) {
    problems.add(
      pointer,
      `no key is one for ${algorithms.join(', ')}`,
      'add such a key, or name the algorithms of these',
    );
  }
}

function checkPublicKey(pointer: string, key: JsonWebKey, problems: ProblemList): void {
  if (key.kty === 'oct' || Object.hasOwn(key, 'k')) {
    problems.add(pointer, 'is a secret: whoever reads it can sign', 'give secretEnv or secretFile instead');
    return;
  }
  const privateMembers = PRIVATE_MEMBERS.filter((member) => Object.hasOwn(key, member));
  if (privateMembers.length > 0) {
    problems.add(
      pointer,
      `is a private key: it has ${privateMembers.join(', ')}`,
      'give the public key, and replace this one: it may have been seen',
    );
    return;
  }
  if (typeof key.kty !== 'string') {
    problems.add(pointer, '"kty" is missing', 'a JSON Web Key says its type: RSA, EC or OKP');
  }
  if (key.kid !== undefined && typeof key.kid !== 'string') {
    problems.add(pointer, '"kid" is no text', 'write it in quotes');
  }
  // Keys of other types are passed over (RFC 7517 §5).
  for (const member of PUBLIC_MEMBERS.get(key.kty) ?? []) {
    checkMember(pointer, key, member, problems);
  }
}

function checkMember(pointer: string, key: JsonWebKey, member: string, problems: ProblemList): void {
  const value = key[member];
  if (typeof value !== 'string' || !BASE64URL.test(value)) {
    problems.add(
      pointer,
      `"${member}" is missing or not in base64url`,
      'take the key as its issuer publishes it',
    );
  } else if (member === 'n' && value.length < MIN_MODULUS_LETTERS) {
    problems.add(pointer, 'has fewer than 2048 bits', 'have the issuer use a longer RSA key');
  }
}

function fitsAlgorithm(key: JsonWebKey, algorithm: JwtAlgorithm): boolean {
  if (key.alg !== undefined && key.alg !== algorithm) {
    return false;
  }
  if (key.use !== undefined && key.use !== 'sig') {
    return false;
  }
  const curves = CURVES.get(algorithm);
  if (curves === undefined) {
    return key.kty === 'RSA';
  }
  return key.kty === (algorithm === 'EdDSA' ? 'OKP' : 'EC') && curves.includes(String(key.crv));
}

const EXAMPLE = 'write it as in https://idp.example.com/jwks';

/** Checks the URL of a key set. It is not quoted, as it may hold a password. */
export function checkKeySetUrl(pointer: string, text: string, { problems, warnings }: Findings): void {
  const url = hasUnsafeCharacter(text) || !/^https?:\/\//i.test(text) ? null : URL.parse(text);
  if (url === null || url.port === '0') {
    problems.add(pointer, 'is no https or http URL', EXAMPLE);
    return;
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    problems.add(pointer, 'has user information', 'key sets are public: remove it');
  }
  if (text.includes('#')) {
    problems.add(pointer, 'has a fragment', "remove it with its '#': fragments are never sent");
  }
  const address = addressOf(text);
  if (address !== null && isRestrictedAddress(address)) {
    warnings.add(pointer, RESTRICTED_MESSAGE, RESTRICTED_HINT);
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    warnings.add(
      pointer,
      'is fetched without TLS: whoever is in between can put their own keys there, and sign what they like',
      'use https',
    );
  }
}

/** The rules for an issuer that a schema cannot express. */
import { checkKeySetUrl, checkPublicKeys } from './key-set-rules.ts';
import type { Issuer } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { checkIdentityHeaders } from './reserved-headers.ts';
import { checkOneSource } from './source-rules.ts';

const KEY_SOURCES = ['jwks', 'jwksFile', 'jwksUrl', 'secretFile', 'secretEnv'] as const;

/** Checks an issuer that fits the schema. `pointer` is where it is in the document. */
export function checkIssuer(pointer: string, issuer: Issuer, findings: Findings): void {
  const { problems, warnings } = findings;
  if (checkOneSource(pointer, issuer, KEY_SOURCES, 'the source of its keys', problems)) {
    checkAlgorithms(`${pointer}/algorithms`, issuer, problems);
  }
  if (issuer.jwks !== undefined) {
    checkPublicKeys(`${pointer}/jwks/keys`, issuer.jwks.keys, issuer.algorithms, problems);
  }
  if (issuer.jwksUrl !== undefined) {
    checkKeySetUrl(`${pointer}/jwksUrl`, issuer.jwksUrl, findings);
  } else if (issuer.keyGraceSec !== undefined) {
    warnings.add(`${pointer}/keyGraceSec`, 'has no effect without jwksUrl', 'remove it');
  }
  checkIdentityHeaders(`${pointer}/claimHeaders`, issuer.claimHeaders ?? {}, problems);
}

/**
 * An issuer signs with secrets or with key pairs, never with both: where one list has algorithms of both, a
 * public key can be passed off as a secret (RFC 8725 §2.1, §3.1).
 */
function checkAlgorithms(pointer: string, issuer: Issuer, problems: ProblemList): void {
  const symmetric = issuer.algorithms.filter(isSymmetric);
  const asymmetric = issuer.algorithms.filter((algorithm) => !isSymmetric(algorithm));
  const hasSecret = issuer.secretFile !== undefined || issuer.secretEnv !== undefined;
  if (symmetric.length > 0 && asymmetric.length > 0) {
    problems.add(
      pointer,
      `mixes ${symmetric[0]}, which takes a secret, with ${asymmetric[0]}, which takes public keys`,
      'make two issuers of it: they may have the same "issuer"',
    );
  } else if (symmetric.length > 0 && !hasSecret) {
    problems.add(
      pointer,
      `${symmetric[0]} takes a secret, and the issuer has public keys`,
      'name algorithms such as RS256 or ES256, or give secretEnv or secretFile instead of the keys',
    );
  } else if (asymmetric.length > 0 && hasSecret) {
    problems.add(
      pointer,
      `${asymmetric[0]} takes public keys, and the issuer has a secret`,
      'name HS256, HS384 or HS512, or give jwks, jwksFile or jwksUrl instead of the secret',
    );
  }
}

function isSymmetric(algorithm: string): boolean {
  return algorithm.startsWith('HS');
}

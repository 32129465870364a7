/** The rules for a cluster's `tls` that a schema cannot express. */

import { isIpv4 } from '../http/ipv6-address.ts';
import { parseHostPattern } from '../routing/host-pattern.ts';
import type { Cluster, OriginTls } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { checkSourceAtMostOnce } from './source-rules.ts';

/** Checks the `tls` of a cluster. `pointer` is where it is in the document. */
export function checkOriginTls(
  pointer: string,
  tls: OriginTls,
  destinations: Cluster['destinations'],
  { problems, warnings }: Findings,
): void {
  checkSourceAtMostOnce(pointer, tls, ['caFile', 'caEnv'], 'the list of authorities', problems);
  checkOwnCertificate(pointer, tls, problems);
  if (tls.serverName !== undefined) {
    checkServerName(`${pointer}/serverName`, tls.serverName, problems);
  }
  if (tls.insecureSkipVerify === true) {
    warnings.add(
      `${pointer}/insecureSkipVerify`,
      'accepts any certificate: whoever is between the gateway and the origin can read and change everything',
      'give the authority of the origin as caFile or caEnv instead',
    );
  }
  const urls = Object.values(destinations).map(({ url }) => url);
  if (urls.length > 0 && !urls.some((url) => /^https:/i.test(url))) {
    warnings.add(pointer, 'has no effect: no destination is https', 'write https in the URLs, or remove it');
  }
}

function checkOwnCertificate(pointer: string, tls: OriginTls, problems: ProblemList): void {
  const hasCertificate = checkSourceAtMostOnce(
    pointer,
    tls,
    ['certFile', 'certEnv'],
    'the certificate',
    problems,
  );
  const hasKey = checkSourceAtMostOnce(pointer, tls, ['keyFile', 'keyEnv'], 'the private key', problems);
  if (hasCertificate && !hasKey) {
    problems.add(pointer, 'the private key of the certificate is missing', 'give keyFile or keyEnv');
  } else if (hasKey && !hasCertificate) {
    problems.add(pointer, 'the certificate of the private key is missing', 'give certFile or certEnv');
  }
}

/** The name goes into the TLS handshake, which takes no addresses (RFC 6066 §3). */
function checkServerName(pointer: string, name: string, problems: ProblemList): void {
  const { pattern } = parseHostPattern(name);
  if (pattern === null || pattern.kind === 'wildcard' || name.startsWith('[') || isIpv4(name)) {
    problems.add(pointer, `${quoteText(name)} is no host name`, 'write it as in orders.example.com');
  }
}

/** The rules for a certificate that a schema cannot express. */
import { isIpv4 } from '../http/ipv6-address.ts';
import type { Certificate } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { checkIdentityHeaders } from './reserved-headers.ts';
import { checkOneSource } from './source-rules.ts';

/** The certificate for connections whose name has none, or that name no host. */
export const DEFAULT_CERTIFICATE_ID = 'default';
/** RFC 1035 §2.3.4, as text without the trailing dot. */
const MAX_NAME_CHARACTERS = 253;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Checks a certificate that fits the schema. `pointer` is where it is in the document. */
export function checkCertificate(
  pointer: string,
  id: string,
  certificate: Certificate,
  { problems }: Findings,
): void {
  checkHostName(pointer, id, problems);
  checkOneSource(pointer, certificate, ['certFile', 'certEnv'], 'the certificate', problems);
  checkOneSource(pointer, certificate, ['keyFile', 'keyEnv'], 'the private key', problems);
  const { clientCertificate } = certificate;
  if (clientCertificate !== undefined) {
    const place = `${pointer}/clientCertificate`;
    checkOneSource(place, clientCertificate, ['caFile', 'caEnv'], 'the list of authorities', problems);
    checkIdentityHeaders(`${place}/headers`, clientCertificate.headers ?? {}, problems);
  }
}

/** The id is a name as TLS clients send it (RFC 6066 §3), or covers names as certificates do (RFC 9525 §6.3). */
function checkHostName(pointer: string, id: string, problems: ProblemList): void {
  const isWildcard = id.startsWith('*.');
  const labels = (isWildcard ? id.slice(2) : id).split('.');
  if (id.length > MAX_NAME_CHARACTERS || !labels.every((label) => LABEL.test(label))) {
    problems.add(
      pointer,
      `the id is no host name: between dots it takes 1 to 63 letters, digits and '-', ${MAX_NAME_CHARACTERS} in all`,
      `write it as in api.example.com or *.example.com, or ${DEFAULT_CERTIFICATE_ID} for all other names`,
    );
  } else if (isWildcard && labels.length < 2) {
    problems.add(
      pointer,
      `the id is a wildcard for a whole top-level domain`,
      'write at least two labels behind it, as in *.example.com',
    );
  } else if (isIpv4(labels.join('.'))) {
    problems.add(
      pointer,
      'the id is an address, which TLS clients never name',
      `use ${DEFAULT_CERTIFICATE_ID}`,
    );
  }
}

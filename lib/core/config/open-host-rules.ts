/** Client certificates are demanded by host, so they do not protect a route that takes any host. */
import { DEFAULT_CERTIFICATE_ID } from './certificate-rules.ts';
import type { Certificate, Route } from './model.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { SliceMeter } from './slices.ts';

const MAX_NAMED_ROUTES = 3;

/**
 * Adds a warning where a host demands client certificates and some routes take any host: under another name
 * they can be reached without one. Looks at a document as a whole: for a change it would cost what the table holds.
 */
export function* reportOpenHosts(
  certificates: ReadonlyMap<string, Certificate>,
  routes: ReadonlyMap<string, Route>,
  warnings: ProblemList,
): Generator<void, void> {
  const demanding = findDemanding(certificates);
  if (demanding === null) return;
  const open: string[] = [];
  const meter = new SliceMeter();
  for (const [id, { match }] of routes) {
    if (match.hosts === undefined) open.push(id);
    if (meter.isFullAfter(1)) yield;
  }
  if (open.length === 0) return;
  const named = open.slice(0, MAX_NAMED_ROUTES).map((id) => `"${id}"`);
  const rest = open.length > named.length ? ` and ${open.length - named.length} more` : '';
  warnings.add(
    `${childPointer('/certificates', demanding)}/clientCertificate`,
    `is demanded for this host alone, but any host reaches these routes: ${named.join(', ')}${rest}`,
    'give "hosts" to the routes that are only for clients with a certificate',
  );
}

/** The first host that demands a certificate; null where none does, or every other one does too. */
function findDemanding(certificates: ReadonlyMap<string, Certificate>): string | null {
  let demanding: string | null = null;
  let isOptional = !demands(certificates.get(DEFAULT_CERTIFICATE_ID));
  for (const [id, certificate] of certificates) {
    if (demands(certificate)) demanding ??= id;
    else isOptional = true;
  }
  return isOptional ? demanding : null;
}

function demands(certificate: Certificate | undefined): boolean {
  return certificate?.clientCertificate?.mode === 'required';
}

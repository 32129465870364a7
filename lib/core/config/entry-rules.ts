/** The rules beyond the schema, by the kind of an entry. */

import { checkCertificate } from './certificate-rules.ts';
import type { PutOperation } from './change.ts';
import { checkCluster } from './cluster-rules.ts';
import { checkConsumer } from './consumer-rules.ts';
import { entryPointer } from './entry-schema.ts';
import { checkIssuer } from './issuer-rules.ts';
import type { Findings } from './problem-list.ts';
import { checkRoute } from './route-rules.ts';

/** Checks an entry that fits the schema, by itself: what it names is checked elsewhere. */
export function checkEntryRules(entry: Omit<PutOperation, 'op'>, findings: Findings): void {
  const put = entry as PutOperation;
  const pointer = entryPointer(put.kind, put.id);
  switch (put.kind) {
    case 'cluster':
      checkCluster(pointer, put.value, findings);
      break;
    case 'issuer':
      checkIssuer(pointer, put.value, findings);
      break;
    case 'consumer':
      checkConsumer(pointer, put.value, findings);
      break;
    case 'certificate':
      checkCertificate(pointer, put.id, put.value, findings);
      break;
    case 'route':
      checkRoute(pointer, put.value, findings);
      break;
  }
}

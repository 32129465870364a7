import { readRequestHead } from '../../../lib/core/http/request-headers.ts';
import { DEFAULT_LISTENER_LIMITS } from '../../../lib/ipc/protocol.ts';
import { AdmittedRequest, admit } from '../../../lib/proxy/admission.ts';

/** A GET without a body as it is admitted. @param rawHeaders flat */
export function admittedGet(target: string, rawHeaders: string[]): AdmittedRequest {
  const head = readRequestHead(rawHeaders);
  const read = { method: 'GET', target, version: '1.1', rawHeaders, head, isWhole: true, isFramed: true };
  const request = admit(read, DEFAULT_LISTENER_LIMITS);
  if (!(request instanceof AdmittedRequest)) throw new Error('the request of the test is not admitted');
  return request;
}

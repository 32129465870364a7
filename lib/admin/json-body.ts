import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ERRORS } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';
import { JsonStreamReader, JsonSyntaxError } from './json-stream-reader.ts';

/** So long a body may be read on before other work gets its turn. */
const SLICE_MS = 4;

/**
 * Reads a JSON body; undefined where there is none. What is left of a refused body is read and thrown away,
 * so that a client which is still sending gets the answer.
 * @throws ControlError where it is too large, not JSON or not whole
 */
export async function readJsonBody(
  payload: Readable,
  declaredBytes: number,
  maxBytes: number,
): Promise<unknown> {
  try {
    if (declaredBytes > maxBytes) refuseSize(maxBytes);
    return await readWithin(payload, maxBytes);
  } catch (error) {
    payload.resume();
    if (error instanceof JsonSyntaxError) throw new ControlError(ERRORS.invalidRequest, error.message);
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') {
      throw new ControlError(ERRORS.clientAborted, 'the client went away within the body');
    }
    throw error;
  }
}

async function readWithin(payload: Readable, maxBytes: number): Promise<unknown> {
  const reader = new JsonStreamReader();
  let receivedBytes = 0;
  let sliceStartMs = performance.now();
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
    receivedBytes += chunk.length;
    if (receivedBytes > maxBytes) refuseSize(maxBytes);
    reader.push(chunk);
    if (performance.now() - sliceStartMs < SLICE_MS) continue;
    await nextTurn();
    sliceStartMs = performance.now();
  }
  return reader.end();
}

function refuseSize(maxBytes: number): never {
  throw new ControlError(ERRORS.bodyTooLarge, `a body may have ${maxBytes} bytes here`);
}

/**
 * The memory that connections read into. Most of what comes is a small answer, which is lent out of one buffer that
 * all connections of the worker share: reading it costs no allocation. In the midst of a large body each read gets
 * memory of its own instead, so that its bytes are passed on without copying.
 */
const SHARED_BYTES = 65_536;
/** For bodies that come faster than they are read: fewer reads cost less. */
const LARGE_BYTES = 262_144;
/** What came in smaller pieces costs less to copy than to get memory for. */
const LEAST_WORTH_OWNING = 16_384;

/** Never written to but by a read, and never read from but before the next one. */
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);

/**
 * @param lastBytes how much the read before got of a body that goes on; 0 where none does
 */
export function nextReadBuffer(lastBytes: number): Buffer {
  if (lastBytes < LEAST_WORTH_OWNING) return shared;
  return Buffer.allocUnsafeSlow(lastBytes < SHARED_BYTES ? SHARED_BYTES : LARGE_BYTES);
}

/** Whether what is in the buffer will be written over by the next read. */
export function isShared(buffer: Uint8Array | null): boolean {
  return buffer === shared;
}

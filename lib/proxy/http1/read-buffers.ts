/**
 * The memory that connections read into. Most of what comes is a small answer, which is copied out of one buffer that
 * all connections of the worker share: reading it costs no allocation. In the midst of a large body each read gets a
 * buffer of its own instead, so that its bytes are passed on without copying.
 */
const READ_BYTES = 65_536;

/** Never written to but by a read, and never read from but before the next one. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** @param ownsBytes whether what is read is to be passed on as it is */
export function nextReadBuffer(ownsBytes: boolean): Buffer {
  return ownsBytes ? Buffer.allocUnsafeSlow(READ_BYTES) : shared;
}

/** What was read, in memory that nothing else is going to use. @param bytes a view of `buffer` */
export function keepable(buffer: Uint8Array, bytes: Buffer): Buffer {
  return buffer === shared ? Buffer.from(bytes) : bytes;
}

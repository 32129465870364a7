/**
 * Returns the hash of a string, an integer of 32 bits without sign: MurmurHash3_x86_32 (Austin Appleby,
 * public domain) of its UTF-16 code units in little endian order. Two code units make a block.
 */
export function hashString(text: string, seed = 0): number {
  let hash = seed;
  const evenLength = text.length & ~1;
  for (let index = 0; index < evenLength; index += 2) {
    hash ^= scrambleBlock(text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (evenLength < text.length) hash ^= scrambleBlock(text.charCodeAt(evenLength));
  const lengthBytes = text.length * 2;
  return mixBits(hash ^ lengthBytes);
}

/** Makes a block of the input ready to be mixed into a hash. */
export function scrambleBlock(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** The finaliser: every bit of the input changes about half of the bits of the output. */
export function mixBits(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

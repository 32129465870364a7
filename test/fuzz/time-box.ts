/** How long and from where the suite fuzzes; by hand, `test/fuzz/run.ts` does it longer. */
const DEFAULT_SECONDS = 6;
/** Always the same, so that the suite says the same of the same code. */
const DEFAULT_SEED = 1;

export const FUZZ_SECONDS = Number(process.env.GATEWAY_FUZZ_SECONDS ?? DEFAULT_SECONDS);
export const FUZZ_SEED = Number(process.env.GATEWAY_FUZZ_SEED ?? DEFAULT_SEED);

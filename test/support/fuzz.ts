import type { Parameters } from 'fast-check';

type Extent = Pick<
  Parameters,
  'numRuns' | 'seed' | 'interruptAfterTimeLimit' | 'markInterruptAsFailure'
>;

/**
 * Fixed seeds in a test run, so that it tells the same every time; `npm run fuzz` looks elsewhere each time, for `FUZZ_MINUTES`
 * a property. fast-check prints the seed and path of what it finds.
 */
export function fuzz(numRuns: number, seed: number): Extent {
  const minutes = Number(process.env['FUZZ_MINUTES']);
  if (!minutes) return { numRuns, seed };
  return {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: minutes * 60_000,
    markInterruptAsFailure: false,
  };
}

/** Long enough for a property that runs for `FUZZ_MINUTES`. */
export const fuzzTimeoutMs = 60_000 + Number(process.env['FUZZ_MINUTES'] ?? 0) * 60_000;

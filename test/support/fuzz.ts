import { appendFileSync, mkdirSync } from 'node:fs';
import fc, { type Parameters, type RunDetails } from 'fast-check';
import { TestRunner } from 'vitest';

type Known =
  | 'numRuns'
  | 'seed'
  | 'path'
  | 'endOnFailure'
  | 'interruptAfterTimeLimit'
  | 'markInterruptAsFailure';

interface Extent extends Pick<Parameters, Known> {
  readonly reporter: <Values>(run: RunDetails<Values>) => void;
}

const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0);
const endsAt = Date.now() + minutes * 60_000;
/** Of a failure to look at again, as `coverage/fuzz/failures.jsonl` has it. */
const seedToTry = process.env['FUZZ_SEED'];
const pathToTry = process.env['FUZZ_PATH'];

/** A fixed seed in a test run, so that it tells the same every time. */
export const seedOf = (fixed: number): number => {
  if (seedToTry !== undefined) return Number(seedToTry);
  return minutes === 0 ? fixed : Math.floor(Math.random() * 2 ** 31);
};

/**
 * Fixed seeds in a test run; `npm run fuzz` looks elsewhere each time, for `FUZZ_MINUTES` in all.
 * The properties of a file share that time. What fails is kept, with its seed and path.
 */
export function fuzz(numRuns: number, seed: number): Extent {
  const extent = { seed: seedOf(seed), reporter };
  if (pathToTry !== undefined) return { ...extent, numRuns, path: pathToTry, endOnFailure: true };
  if (minutes === 0) return { ...extent, numRuns };
  return {
    ...extent,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: Math.max(1_000, (endsAt - Date.now()) / propertiesLeft()),
    markInterruptAsFailure: false,
  };
}

/** Long enough for a property that runs for `FUZZ_MINUTES`. */
export const fuzzTimeoutMs = 60_000 + minutes * 60_000;

interface Task {
  readonly result?: { readonly state: string } | undefined;
  readonly tasks?: readonly Task[];
}

/** Of the file, this one included. */
function propertiesLeft(): number {
  const countLeft = (task: Task): number =>
    task.tasks?.reduce((sum, each) => sum + countLeft(each), 0) ??
    (task.result === undefined || task.result.state === 'run' ? 1 : 0);
  return Math.max(1, countLeft(TestRunner.getCurrentTest()?.file ?? {}));
}

function reporter<Values>(run: RunDetails<Values>): void {
  if (!run.failed) return;
  keepFailure({
    seed: run.seed,
    path: run.counterexamplePath,
    found: fc.stringify(run.counterexample),
  });
  throw new Error(fc.defaultReportMessage(run), { cause: run.errorInstance });
}

/** Adds a line to `coverage/fuzz/failures.jsonl`. */
export function keepFailure(failure: object): void {
  mkdirSync('coverage/fuzz', { recursive: true });
  const test = TestRunner.getCurrentTest();
  const line = { at: new Date(), file: test?.file.name, test: test?.name, ...failure };
  appendFileSync('coverage/fuzz/failures.jsonl', `${JSON.stringify(line)}\n`);
}

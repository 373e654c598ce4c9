import type { Times } from './compare-classes.js';
import { shuffled, type Place } from './presented-keys.js';

/** One thing to time: the same work on inputs of two classes. */
export interface Subject {
  /** Makes an input of the class, as new as a request's. Not timed. */
  readonly prepare: (place: Place) => unknown;
  /** What is timed, to the end of its promise where it gives one. */
  readonly run: (input: never) => unknown;
}

/**
 * As many samples of each class, in random order, so that what changes meanwhile changes for both.
 * All inputs are made before the first is timed: made just before, an input may still be on its way
 * to memory, and which of its bytes was written last would tell.
 */
export async function measure({ prepare, run }: Subject, samplesPerClass: number): Promise<Times> {
  const times: Record<Place, number[]> = { first: [], last: [] };
  const order = Array.from({ length: samplesPerClass }, (): Place[] => ['first', 'last']).flat();
  const inputs = shuffled(order).map((place) => ({ place, input: prepare(place) as never }));
  for (const { place, input } of inputs) {
    const startedAt = performance.now();
    let result = run(input);
    if (result instanceof Promise) result = await result;
    const ms = performance.now() - startedAt;
    // Kept for nobody to read, lest the compiler leaves out what it sees is not needed.
    lastResult = result;
    times[place].push(ms * 1e6);
  }
  return [times.first, times.last];
}

export let lastResult: unknown;

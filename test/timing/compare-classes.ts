import { meanOf, pairedT, type Difference } from './paired-t.js';

/** The times that the two classes of inputs took on one table of keys, in nanoseconds. */
export type Times = readonly [first: readonly number[], last: readonly number[]];

/** How the classes differ by each crop. `undefined` if hardly a sample of one of them is left. */
export type ComparedClasses = readonly (Difference | undefined)[];

/**
 * What is kept of all samples, from the fastest on: interrupts and garbage collections make the
 * slow end nothing but noise. A leak may show in one part alone, so several are looked at, as
 * dudect does, and the clearest counts.
 */
const keptParts = [0.5, 0.75, 0.9];

/**
 * Compares the two classes over many tables, each with keys of its own. A table counts once, with
 * the difference of its means: where in memory a key happens to stand moves all samples of its
 * table alike, and would pass for a leak were they counted one by one; and how busy the machine is
 * at the moment moves both classes, and would hide a leak were they not compared table by table.
 */
export function compareClasses(tables: readonly Times[]): ComparedClasses {
  const all = tables.flat(2).toSorted((a, b) => a - b);
  return keptParts.map((part) => compareUpTo(all[Math.ceil(part * all.length) - 1]!, tables));
}

/** The limit is one for both classes: to cut each at its own would cut the difference off. */
function compareUpTo(limit: number, tables: readonly Times[]): Difference | undefined {
  const kept = tables
    .map((times) => times.map((each) => each.filter((time) => time <= limit)))
    .filter((times) => times.every((each) => each.length > 0));
  // Where one class is so much slower that hardly a sample of it is left, the next crop tells.
  if (kept.length < tables.length / 2) return undefined;
  return pairedT(kept.map(([first, last]) => meanOf(last!) - meanOf(first!)));
}

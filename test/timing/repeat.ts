import { makeChecks } from './checks.js';
import { compareClasses, type ComparedClasses, type Times } from './compare-classes.js';
import { classes, comparisons } from './comparisons.js';
import { measure } from './measure.js';
import { generateKeys, type Place } from './presented-keys.js';

const keysPerTable = 1_000;
const samplesPerClass = 64;

/**
 * All comparisons on the same tables, one table after another, so that whatever slows the machine
 * slows them all.
 */
export async function repeat(tables: number): Promise<ComparedClasses[]> {
  const times = comparisons.map((): Times[] => []);
  for (let table = 0; table < tables; table++) {
    const keys = generateKeys(keysPerTable);
    const checks = await makeChecks(keys);
    for (const [index, { check, by }] of comparisons.entries()) {
      const { wrap, run } = checks[check];
      const prepare = (place: Place) => wrap(classes[by](keys, place));
      times[index]!.push(await measure({ prepare, run }, samplesPerClass));
    }
  }
  return times.map(compareClasses);
}

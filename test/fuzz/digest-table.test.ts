import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../src/keys/digest.js';
import { DigestTable } from '../../src/keys/digest-table.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';

const plain = Array.from({ length: 40 }, (_, index) => digestOf(`key ${index}`));
/** Alike in all that decides on their slot: each of them wants the same one. */
const rivals = plain.map((digest) => (plain[0]!.slice(0, 8) + digest.slice(8)) as Digest);

interface Value {
  readonly step: number;
}

const digestIndex = fc.nat(2 * plain.length - 1);
const step = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constant('set' as const), digestIndex) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('delete' as const), digestIndex) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('evict' as const), digestIndex) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const), digestIndex) },
);

describe('a table of digests', () => {
  it(
    'anything put in and taken out in any order -> it holds what a Map would hold',
    () => {
      const all = [...plain, ...rivals];
      fc.assert(
        fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
          const table = new DigestTable<Value>();
          const map = new Map<Digest, Value>();
          for (const [index, [kind, at]] of steps.entries()) {
            const digest = all[at]!;
            if (kind === 'set') {
              const value = { step: index };
              table.set(digest, value);
              map.set(digest, value);
            } else if (kind === 'delete') {
              table.delete(digest);
              map.delete(digest);
            } else if (kind === 'clear') {
              table.clear();
              map.clear();
            } else if (map.size > 0) {
              const gone = table.evict(() => false);
              map.delete([...map].find(([, value]) => value === gone)![0]);
            }
          }
          expect(table.size).toBe(map.size);
          for (const digest of all) expect(table.get(digest)).toBe(map.get(digest));
        }),
        fuzz(200, 20260101),
      );
    },
    fuzzTimeoutMs,
  );
});

import { describe, expect, it } from 'vitest';
import { digestOf, type Digest } from '../../src/keys/digest.js';
import { DigestTable } from '../../src/keys/digest-table.js';

interface Entry {
  readonly name: string;
  wasUsed: boolean;
}

const entry = (name: string): Entry => ({ name, wasUsed: false });

const plain = Array.from({ length: 40 }, (_, index) => digestOf(`key ${index}`));

/** Alike in all that decides on their slot: each of them wants the same one. */
const rivals = plain.map((digest) => (plain[0]!.slice(0, 8) + digest.slice(8)) as Digest);

/** Each differs from the first in one byte. */
const siblings = Array.from(
  { length: 32 },
  (_, at) =>
    (rivals[0]!.slice(0, at) +
      String.fromCharCode(rivals[0]!.charCodeAt(at) ^ 0x80) +
      rivals[0]!.slice(at + 1)) as Digest,
);

/** Each digest with its place as the value. */
function filledWith(digests: readonly Digest[]): DigestTable<Entry> {
  const table = new DigestTable<Entry>();
  for (const [at, digest] of digests.entries()) table.set(digest, entry(String(at)));
  return table;
}

describe('a table of digests', () => {
  it('digests that differ in a single byte -> each has its own value, and one that was not put in has none', () => {
    const table = new DigestTable<Entry>();
    table.set(rivals[0]!, entry('first'));
    for (const sibling of siblings) expect(table.get(sibling)).toBeUndefined();
    for (const [at, sibling] of siblings.entries()) table.set(sibling, entry(`byte ${at}`));
    for (const [at, sibling] of siblings.entries())
      expect(table.get(sibling)?.name).toBe(`byte ${at}`);
    expect(table.get(rivals[0]!)?.name).toBe('first');
  });

  it.each([
    ['spread out', plain],
    ['all wanting one slot', rivals],
  ])('digests %s, any one of them taken out -> all others are still found', (_kind, from) => {
    for (const gone of from) {
      const table = filledWith(from);
      table.delete(gone);
      expect(table.size).toBe(from.length - 1);
      for (const [at, digest] of from.entries()) {
        expect(table.get(digest)?.name).toBe(digest === gone ? undefined : String(at));
      }
      // As if it had never been there.
      table.delete(gone);
      expect(table.size).toBe(from.length - 1);
      table.set(gone, entry('back'));
      expect(table.get(gone)?.name).toBe('back');
      expect(table.size).toBe(from.length);
    }
  });

  it('a digest put in twice -> the later value, counted once', () => {
    const table = filledWith(plain);
    table.set(plain[3]!, entry('later'));
    expect(table.get(plain[3]!)?.name).toBe('later');
    expect(table.size).toBe(plain.length);
  });

  it('thousands of digests -> each is found, in no more slots than keep searches short', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => digestOf(`one of many ${index}`));
    const table = filledWith(many);
    for (const [at, digest] of many.entries()) expect(table.get(digest)?.name).toBe(String(at));
    for (const digest of plain) expect(table.get(digest)).toBeUndefined();
    expect(table.size).toBe(many.length);
  });

  it('cleared -> nothing is found, and what is put in afterwards is', () => {
    const table = filledWith(plain);
    table.clear();
    expect(table.size).toBe(0);
    for (const digest of plain) expect(table.get(digest)).toBeUndefined();
    table.set(plain[0]!, entry('first'));
    expect(table.get(plain[0]!)?.name).toBe('first');
  });

  it('a value that is spared -> goes in the next round and not in this one', () => {
    const table = new DigestTable<Entry>();
    const [spared, ...others] = rivals.map((digest, at) => {
      const value = entry(`value ${at}`);
      table.set(digest, value);
      return value;
    });
    spared!.wasUsed = true;
    const isSpared = (value: Entry) => {
      const { wasUsed } = value;
      value.wasUsed = false;
      return wasUsed;
    };
    const gone = others.map(() => table.evict(isSpared));
    expect(new Set(gone)).toEqual(new Set(others));
    expect(table.evict(isSpared)).toBe(spared);
    expect(table.size).toBe(0);
  });

  it('the same digests in two tables -> kept in orders that nobody could foresee', () => {
    const orderOf = () => {
      const table = new DigestTable<Entry>();
      for (const [at, digest] of plain.entries()) table.set(digest, entry(String(at)));
      return plain.map(() => table.evict(() => false).name).join();
    };
    // By chance alone two of five would agree about once in 10^47.
    expect(new Set(Array.from({ length: 5 }, orderOf)).size).toBe(5);
  });
});

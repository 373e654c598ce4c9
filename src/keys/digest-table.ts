import { randomInt } from 'node:crypto';
import type { Digest } from './digest.js';

/** A digest is eight words of 32 bits. */
const words = 8;
const smallestBits = 3;
/** The share of slots used before the table grows: fuller tables make long searches, emptier ones fill the processor's cache. */
const maxLoad = 5 / 8;

/** The words of the digest at hand: filled and used without anything in between, so one for all tables will do. */
const wanted = new Int32Array(words);

/**
 * Values by digest, in flat memory: a look-up reads one line of memory for the digest and one for its value, whatever the number of keys,
 * where a `Map` of strings follows a chain of pointers and hashes what is a hash already.
 *
 * Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
 */
export class DigestTable<Value extends object> {
  #bits = smallestBits;
  #digests = new Int32Array(words << smallestBits);
  #values = emptySlots<Value>(smallestBits);
  #size = 0;
  #hand = 0;
  // Secret: whoever could foresee a digest's slot could make up keys that all want the same one, and so make every look-up a long search.
  readonly #multipliers = [oddInt32(), oddInt32()] as const;

  get size(): number {
    return this.#size;
  }

  get(digest: Digest): Value | undefined {
    return this.#values[this.#find(digest)];
  }

  set(digest: Digest, value: Value): void {
    let slot = this.#find(digest);
    if (this.#values[slot] === undefined) {
      if (this.#size >= maxLoad * this.#values.length) {
        this.#grow();
        slot = this.#find(digest);
      }
      this.#digests.set(wanted, slot * words);
      this.#size++;
    }
    this.#values[slot] = value;
  }

  delete(digest: Digest): void {
    const slot = this.#find(digest);
    if (this.#values[slot] !== undefined) this.#empty(slot);
  }

  /** Takes out the next value, going round from where it stopped last, that `isSpared` does not spare. One has to be there. */
  evict(isSpared: (value: Value) => boolean): Value {
    for (;;) {
      const value = this.#values[this.#hand];
      if (value !== undefined && !isSpared(value)) {
        this.#empty(this.#hand);
        return value;
      }
      this.#hand = this.#after(this.#hand);
    }
  }

  clear(): void {
    this.#resize(smallestBits);
  }

  /** The slot of a digest, or the empty one where its search ends; `wanted` is the digest from then on. */
  #find(digest: Digest): number {
    for (let word = 0, at = 0; word < words; word++, at += 4) {
      wanted[word] =
        digest.charCodeAt(at) |
        (digest.charCodeAt(at + 1) << 8) |
        (digest.charCodeAt(at + 2) << 16) |
        (digest.charCodeAt(at + 3) << 24);
    }
    let slot = this.#home(wanted[0]!, wanted[1]!);
    while (this.#values[slot] !== undefined && !this.#holdsWanted(slot)) slot = this.#after(slot);
    return slot;
  }

  #holdsWanted(slot: number): boolean {
    const start = slot * words;
    for (let word = 0; word < words; word++) {
      if (this.#digests[start + word] !== wanted[word]) return false;
    }
    return true;
  }

  /** Where the search for a digest begins: multiplicative hashing, of which the upper bits are the good ones. */
  #home(first: number, second: number): number {
    const [a, b] = this.#multipliers;
    return (Math.imul(first, a) + Math.imul(second, b)) >>> (32 - this.#bits);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#values.length - 1);
  }

  /** Empties a slot and closes the gap, at which the search for those behind it would end. */
  #empty(slot: number): void {
    const digests = this.#digests;
    const mask = this.#values.length - 1;
    let gap = slot;
    for (let next = this.#after(slot); this.#values[next] !== undefined; next = this.#after(next)) {
      const home = this.#home(digests[next * words]!, digests[next * words + 1]!);
      const isHomeBehindGap = ((next - home) & mask) < ((next - gap) & mask);
      if (isHomeBehindGap) continue;
      digests.copyWithin(gap * words, next * words, (next + 1) * words);
      this.#values[gap] = this.#values[next];
      gap = next;
    }
    this.#values[gap] = undefined;
    this.#size--;
  }

  #grow(): void {
    const digests = this.#digests;
    const values = this.#values;
    this.#resize(this.#bits + 1);
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot];
      if (value === undefined) continue;
      const from = slot * words;
      // All of them differ, so the first empty slot is the right one.
      let place = this.#home(digests[from]!, digests[from + 1]!);
      while (this.#values[place] !== undefined) place = this.#after(place);
      for (let word = 0; word < words; word++)
        this.#digests[place * words + word] = digests[from + word]!;
      this.#values[place] = value;
      this.#size++;
    }
  }

  #resize(bits: number): void {
    this.#bits = bits;
    this.#digests = new Int32Array(words << bits);
    this.#values = emptySlots(bits);
    this.#size = 0;
    this.#hand = 0;
  }
}

const emptySlots = <Value>(bits: number) => Array.from<Value | undefined>({ length: 1 << bits });

const oddInt32 = () => randomInt(2 ** 32) | 1;

const words = 8;

/**
 * Values by digest in flat memory, with open addressing, filled once: what the library had in place
 * of a `Map`. It is here so that the report can say what a `Map` costs beside it.
 */
export class FlatTable {
  #bits;
  #digests;
  #values;
  #wanted = new Int32Array(words);

  /** @param entries pairs of a digest, as a binary string of 32 characters, and its value */
  constructor(entries) {
    this.#bits = Math.ceil(Math.log2((entries.length * 8) / 5)) + 1;
    this.#digests = new Int32Array(words << this.#bits);
    this.#values = Array.from({ length: 1 << this.#bits });
    for (const [digest, value] of entries) {
      const slot = this.#find(digest);
      this.#digests.set(this.#wanted, slot * words);
      this.#values[slot] = value;
    }
  }

  get(digest) {
    return this.#values[this.#find(digest)];
  }

  /** The slot of a digest, or the empty one where its search ends. */
  #find(digest) {
    const wanted = this.#wanted;
    for (let word = 0, at = 0; word < words; word++, at += 4) {
      wanted[word] =
        digest.charCodeAt(at) |
        (digest.charCodeAt(at + 1) << 8) |
        (digest.charCodeAt(at + 2) << 16) |
        (digest.charCodeAt(at + 3) << 24);
    }
    const mask = this.#values.length - 1;
    let slot =
      (Math.imul(wanted[0], 0x9e3779b1) + Math.imul(wanted[1], 0x85ebca6b)) >>> (32 - this.#bits);
    while (this.#values[slot] !== undefined && !this.#holdsWanted(slot)) slot = (slot + 1) & mask;
    return slot;
  }

  #holdsWanted(slot) {
    const start = slot * words;
    for (let word = 0; word < words; word++) {
      if (this.#digests[start + word] !== this.#wanted[word]) return false;
    }
    return true;
  }
}

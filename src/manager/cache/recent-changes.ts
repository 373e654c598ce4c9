/** Stands for all keys in place of a key id. */
export const everything = '';

/**
 * How many changes are remembered one by one. If more were announced during a look-up, every key
 * counts as changed for it.
 */
const maxRemembered = 256;

/**
 * Recent changes. Each look-up checks here whether its key has changed since it began. A change
 * is recorded once for all look-ups, so the cost does not multiply if the store is slow and
 * changes often.
 */
export class RecentChanges {
  readonly #keyIds: string[] = [];
  #total = 0;

  /** The number of changes so far. */
  get position(): number {
    return this.#total;
  }

  add(keyId: string): void {
    this.#total++;
    this.#keyIds.push(keyId);
    if (this.#keyIds.length > maxRemembered) this.#keyIds.shift();
  }

  /** Whether a key may have changed since a position. */
  hasChangedSince(position: number, keyId: string): boolean {
    const count = this.#total - position;
    if (count > maxRemembered) return true;
    return (
      count > 0 && this.#keyIds.slice(-count).some((each) => each === keyId || each === everything)
    );
  }
}

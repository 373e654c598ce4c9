/** In place of a key id: all keys. */
export const everything = '';

/** The most changes that are told apart: a look-up during which more were announced counts every key as changed. */
const maxRemembered = 256;

/**
 * The changes of late, for look-ups under way, which read here whether their key was among those since they began. Each change is
 * noted once, however many look-ups there are: a store that is slow and changes much must not be made to cost their product.
 */
export class RecentChanges {
  readonly #keyIds: string[] = [];
  #total = 0;

  /** How many changes there have been. */
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

import { describe, expect, it } from 'vitest';
import { RecentChanges, everything } from '../../../src/manager/cache/recent-changes.js';

describe('a log of changes', () => {
  it('nothing since a position -> nothing has changed', () => {
    const changes = new RecentChanges();
    changes.add('key_1');
    const { position } = changes;
    expect(changes.hasChangedSince(position, 'key_1')).toBe(false);
  });

  it('a key, or everything, since a position -> that key has changed, or any', () => {
    const changes = new RecentChanges();
    const start = changes.position;
    changes.add('key_1');
    const middle = changes.position;
    changes.add('key_2');
    expect(
      ['key_1', 'key_2', 'key_3'].map((keyId) => changes.hasChangedSince(start, keyId)),
    ).toEqual([true, true, false]);
    expect(changes.hasChangedSince(middle, 'key_1')).toBe(false);
    changes.add(everything);
    expect(changes.hasChangedSince(middle, 'key_1')).toBe(true);
  });

  it('as many changes as are remembered -> told apart; one more -> every key may have changed', () => {
    const changes = new RecentChanges();
    for (let before = 0; before < 1_000; before++) changes.add('key_0');
    const start = changes.position;
    for (let count = 1; count <= 256; count++) {
      changes.add(`key_${count}`);
      expect(changes.hasChangedSince(start, 'key_1')).toBe(true);
      expect(changes.hasChangedSince(start, `key_${count}`)).toBe(true);
      expect(changes.hasChangedSince(start, 'key_0')).toBe(false);
    }
    changes.add('key_257');
    expect(changes.hasChangedSince(start, 'key_0')).toBe(true);
  });
});

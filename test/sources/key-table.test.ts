import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/keys/digest.js';
import { inOrderOfDigests, listKeys } from '../../src/sources/key-table.js';

const long = 'q7'.repeat(16);

describe('listKeys', () => {
  const list = (...pairs: [user: string, key: string][]) =>
    listKeys(
      pairs.map(([user, key], index) => ({ user, key, place: `entry ${index + 1}` })),
      'listed',
    );

  it('a list without a fault -> a table of all its keys, and no problems', () => {
    const { table, problems, weak } = list(['alice', `${long}A`], ['bob', `${long}B`]);
    expect({ problems, weak }).toEqual({ problems: [], weak: [] });
    expect(table?.find(digestOf(`${long}B`))).toMatchObject({
      ok: true,
      apiKey: { keyId: 'bob#1' },
    });
    expect(table?.find(digestOf(long))).toEqual({ ok: false, code: 'invalid_api_key' });
  });

  it('several broken entries -> each is told of, what is weak among the rest, and no table', () => {
    const { table, problems, weak } = list(
      ['', `${long}A`],
      ['bob', 'brief'],
      ['carol', ''],
      ['dave', `${long}B`],
      ['erin', 'brief'],
    );
    expect(problems).toEqual([
      {
        place: 'entry 1',
        message: 'entry 1 has no user, or one with control characters',
        isShared: false,
      },
      { place: 'entry 3', message: 'entry 3 has no key', isShared: false },
      { place: 'entry 5', message: 'entry 5 has the key of another user', isShared: true },
    ]);
    expect(weak).toEqual([
      { place: 'entry 2', weakness: 'short', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(table).toBeUndefined();
  });
});

it('keys in any order -> kept in the order of their digests, so that no look-up tells their place', () => {
  const digests = Array.from({ length: 100 }, (_, index) => digestOf(`key ${index}`));
  const kept = inOrderOfDigests(new Map(digests.map((digest, index) => [digest, index])));
  const sorted = digests.toSorted();
  expect(sorted).not.toEqual(digests);
  expect([...kept]).toEqual(sorted.map((digest) => [digest, digests.indexOf(digest)]));
});

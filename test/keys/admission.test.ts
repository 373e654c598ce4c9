import { describe, expect, it } from 'vitest';
import { hasScopes, whyNotUsable } from '../../src/keys/admission.js';

const now = 1_000_000;
const at = (ms: number) => new Date(now + ms);

describe('whyNotUsable', () => {
  it.each<[string, Parameters<typeof whyNotUsable>[0], string | undefined]>([
    ['neither time', {}, undefined],
    ['both null', { expiresAt: null, revokedAt: null }, undefined],
    ['an expiry a millisecond ahead', { expiresAt: at(1) }, undefined],
    ['an expiry now', { expiresAt: at(0) }, 'expired_api_key'],
    ['an expiry in the past', { expiresAt: at(-1) }, 'expired_api_key'],
    ['an expiry that is no time', { expiresAt: new Date(Number.NaN) }, 'expired_api_key'],
    ['a revocation in the past', { revokedAt: at(-1) }, 'revoked_api_key'],
    ['a revocation ahead', { revokedAt: at(1) }, 'revoked_api_key'],
    ['a revocation that is no time', { revokedAt: new Date(Number.NaN) }, 'revoked_api_key'],
    ['a pause without an end', { pausedAt: at(-1) }, 'paused_api_key'],
    [
      'a pause that ends in a millisecond',
      { pausedAt: at(-1), pausedUntil: at(1) },
      'paused_api_key',
    ],
    ['a pause that ends now', { pausedAt: at(-1), pausedUntil: at(0) }, undefined],
    ['a pause that is over', { pausedAt: at(-2), pausedUntil: at(-1) }, undefined],
    [
      'a pause whose end is no time',
      { pausedAt: at(-1), pausedUntil: new Date(Number.NaN) },
      'paused_api_key',
    ],
    ['an end without a pause', { pausedUntil: at(1) }, undefined],
    ['both past', { expiresAt: at(-1), revokedAt: at(-1) }, 'revoked_api_key'],
  ])('%s -> decided', (_what, lifetime, expected) => {
    expect(whyNotUsable(lifetime, now)).toBe(expected);
  });
});

describe('hasScopes', () => {
  it.each<[string[], string[], boolean]>([
    [[], [], true],
    [['a'], [], true],
    [['a', 'b'], ['b', 'a'], true],
    [[], ['a'], false],
    [['a'], ['a', 'b'], false],
    [['A'], ['a'], false],
    [['*'], ['a'], false],
  ])('%j held, %j needed -> %s', (scopes, needed, expected) => {
    expect(hasScopes({ scopes }, needed)).toBe(expected);
  });
});

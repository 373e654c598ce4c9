import { expect, it } from 'vitest';
import { reasonOf, type Refusal } from '../../src/keys/refusal.js';

it.each<[Omit<Refusal, 'ok'>, string]>([
  [{ code: 'expired_api_key' }, 'expired'],
  [{ code: 'revoked_api_key' }, 'revoked'],
  [{ code: 'paused_api_key' }, 'paused'],
  [{ code: 'address_not_allowed' }, 'address'],
  [{ code: 'invalid_api_key' }, 'unknown_key'],
  [{ code: 'invalid_api_key', reason: 'too_long' }, 'too_long'],
  [{ code: 'expired_api_key', reason: 'source_threw' }, 'source_threw'],
])('%j -> the reason "%s"', (refusal, reason) => {
  expect(reasonOf(refusal as Refusal)).toBe(reason);
});

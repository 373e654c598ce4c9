import { createApiKey, type Identity } from '../api-key.js';
import { unknownKey, type KeySourceAnswer, type VerifyResult } from '../key-source.js';
import { whyNotUsable } from '../lib/admission.js';
import { sha256Hex } from '../lib/digest.js';
import { describe, isScopes } from '../lib/options.js';

/**
 * Turns any answer a source may give into a `VerifyResult`.
 *
 * @throws {TypeError} for an answer that is none: to guess what it means would be to guess who may come in.
 */
export function readAnswer(answer: KeySourceAnswer, presentedKey: string, source: string): VerifyResult {
  if (answer === undefined || answer === null || answer === false) return unknownKey;
  if (answer === true) return admit({ user: 'default' }, presentedKey, source);
  if (typeof answer === 'string') return admit({ user: answer }, presentedKey, source);
  if (typeof answer !== 'object') throw nonsense(describe(answer));
  if (!('ok' in answer) || answer.ok === undefined) return admit(answer, presentedKey, source);
  if (answer.ok === true) return admit(answer.apiKey, presentedKey, source);
  if (answer.ok === false && isRefusalCode(answer.code)) return answer;
  throw nonsense('a result whose "ok" or "code" is not one of those known');
}

function isRefusalCode(code: unknown): boolean {
  return code === 'invalid_api_key' || code === 'expired_api_key' || code === 'revoked_api_key';
}

function admit(identity: Identity, presentedKey: string, source: string): VerifyResult {
  if (typeof identity !== 'object' || identity === null) throw nonsense('a result without an identity');
  const { user, keyId, scopes, name, createdAt, expiresAt, metadata } = identity;
  assertPublic('user', user, presentedKey);
  if (keyId != null) assertPublic('keyId', keyId, presentedKey);
  if (name != null) assertPublic('name', name, presentedKey);
  if (scopes != null && isScopes(scopes))
    throw nonsense('an identity whose "scopes" are not an array of scopes');
  assertTime('createdAt', createdAt);
  assertTime('expiresAt', expiresAt);
  if (metadata != null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw nonsense('an identity whose "metadata" is not an object');
  }
  if (holds(metadata, presentedKey)) throw nonsense('an identity whose "metadata" hold the presented key');
  const apiKey = createApiKey({ user, source, keyId, scopes, name, createdAt, expiresAt, metadata });
  const code = whyNotUsable(apiKey, Date.now());
  return code ? { ok: false, code, keyId: apiKey.keyId, user } : { ok: true, apiKey };
}

/** These fields end up in logs; `(key) => known.has(key) && key` would put the key itself there. */
function assertPublic(field: string, value: unknown, presentedKey: string): void {
  if (typeof value !== 'string' || value === '')
    throw nonsense(`an identity whose "${field}" is ${describe(value)}`);
  if (holds(value, presentedKey)) throw nonsense(`an identity whose "${field}" holds the presented key`);
}

// A key as short as this may be part of an innocent word.
const shortKey = 8;

/** Whether the presented key, or its digest, stands anywhere in what is to be handed to handlers and logs. */
function holds(value: unknown, presentedKey: string, seen = new Set<unknown>()): boolean {
  if (typeof value === 'string') {
    if (presentedKey.length <= shortKey) return value === presentedKey;
    return value.includes(presentedKey) || value.toLowerCase().includes(sha256Hex(presentedKey));
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  return Object.entries(value).some(
    ([name, part]) => holds(name, presentedKey, seen) || holds(part, presentedKey, seen),
  );
}

function assertTime(field: string, value: unknown): void {
  if (value == null) return;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) {
    throw nonsense(`an identity whose "${field}" is not a valid Date`);
  }
}

function nonsense(what: string): TypeError {
  return new TypeError(`the key source answered ${what}`);
}

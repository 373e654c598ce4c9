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
  assertText('user', user);
  if (keyId != null) assertText('keyId', keyId);
  if (name != null) assertText('name', name);
  if (scopes != null && isScopes(scopes))
    throw nonsense('an identity whose "scopes" are not an array of scopes');
  assertTime('createdAt', createdAt);
  assertTime('expiresAt', expiresAt);
  if (metadata != null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw nonsense('an identity whose "metadata" is not an object');
  }
  const digest = sha256Hex(presentedKey);
  for (const secret of [presentedKey, digest]) {
    if ([user, keyId, name, metadata].some((part) => holds(part, secret))) {
      throw nonsense('an identity that holds the presented key or its digest');
    }
  }
  const apiKey = createApiKey({ user, source, keyId, scopes, name, createdAt, expiresAt, metadata });
  const code = whyNotUsable(apiKey, Date.now());
  return code ? { ok: false, code, keyId: apiKey.keyId, user } : { ok: true, apiKey };
}

function assertText(field: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw nonsense(`an identity whose "${field}" is ${describe(value)}`);
}

// A key as short as this may be part of an innocent word.
const shortKey = 8;

/** Whether a secret stands anywhere in what handlers and logs will see: `(key) => known.has(key) && key` puts it there. */
function holds(value: unknown, secret: string, seen = new Set<unknown>()): boolean {
  if (typeof value === 'string') {
    return secret.length > shortKey ? value.includes(secret) : value === secret;
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  const isCollection = value instanceof Map || value instanceof Set;
  const parts: unknown[] = isCollection ? [...value] : Object.entries(value).flat();
  return parts.some((part) => holds(part, secret, seen));
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

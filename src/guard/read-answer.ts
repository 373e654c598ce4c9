import { createApiKey, type Identity } from '../keys/api-key.js';
import type { KeySourceAnswer, RefusalCode, VerifyResult } from '../keys/key-source.js';
import { unknownKey } from '../keys/own-source.js';
import { whyNotUsable } from '../keys/admission.js';
import { digestOf, toHex } from '../keys/digest.js';
import { isValidDate } from '../lib/values.js';
import { describe, isName, isScopes, mustBeName } from '../lib/options.js';

/**
 * Turns any answer of a source into a frozen `VerifyResult`.
 *
 * @throws {TypeError} for an invalid answer. Guessing its meaning could let somebody in.
 */
export function readAnswer(
  answer: KeySourceAnswer,
  presentedKey: string,
  source: string,
): VerifyResult {
  if (answer === undefined || answer === null || answer === false) return unknownKey;
  if (answer === true) return admit({ user: 'default' }, presentedKey, source);
  if (typeof answer === 'string') return admit({ user: answer }, presentedKey, source);
  if (typeof answer !== 'object') throw nonsense(describe(answer));
  // Read once: a getter could return another value the second time, which was not checked.
  const { ok, apiKey, code, keyId, user } = answer as Partial<Record<string, unknown>>;
  if (ok === undefined) return admit(answer as Identity, presentedKey, source);
  if (ok === true) return admit(apiKey as Identity, presentedKey, source);
  if (ok === false && isRefusalCode(code)) return refuse(code, { keyId, user }, presentedKey);
  throw nonsense('a result with an unknown "ok" or "code"');
}

const refusalCodes: readonly unknown[] = [
  'invalid_api_key',
  'expired_api_key',
  'revoked_api_key',
  'paused_api_key',
  'address_not_allowed',
] satisfies RefusalCode[];

const isRefusalCode = (code: unknown): code is RefusalCode => refusalCodes.includes(code);

/** Operators see whose key was refused. Values unfit for logs are left out. */
function refuse(
  code: RefusalCode,
  { keyId, user }: { keyId: unknown; user: unknown },
  presentedKey: string,
): VerifyResult {
  if (code === 'invalid_api_key') return unknownKey;
  const isFit = (text: unknown): text is string => isName(text) && !isSecret(text, presentedKey);
  return {
    ok: false,
    code,
    ...(isFit(keyId) && { keyId }),
    ...(isFit(user) && { user }),
  };
}

function admit(identity: Identity, presentedKey: string, source: string): VerifyResult {
  if (typeof identity !== 'object' || identity === null)
    throw nonsense('a result without an identity');
  const { user, keyId, scopes, name, createdAt, expiresAt, revokedAt, metadata } = identity;
  assertText('user', user);
  if (keyId != null) assertText('keyId', keyId);
  if (name != null) assertText('name', name);
  if (scopes != null && !isScopes(scopes))
    throw nonsense('an identity whose "scopes" are not an array of scopes');
  assertTime('createdAt', createdAt);
  assertTime('expiresAt', expiresAt);
  assertTime('revokedAt', revokedAt);
  if (metadata != null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw nonsense('an identity whose "metadata" is not an object');
  }
  // A source may answer `(key) => known.has(key) && key`, or a whole row of a table as metadata.
  // Handlers log both.
  const shown = [user, keyId, name, ...(scopes ?? []), metadata && jsonOf(metadata)];
  if (shown.some((value) => isSecret(value, presentedKey))) {
    throw nonsense('an identity that holds the presented key or its digest');
  }
  const dates = {
    createdAt: createdAt && new Date(createdAt),
    expiresAt: expiresAt && new Date(expiresAt),
  };
  const apiKey = createApiKey({ user, source, keyId, scopes, name, ...dates, metadata });
  const code = whyNotUsable({ expiresAt, revokedAt }, Date.now());
  return code ? { ok: false, code, keyId: apiKey.keyId, user } : { ok: true, apiKey };
}

/** Shorter keys may be part of an innocent word. */
const shortKeyLength = 8;

/** Empty for a value without JSON. */
function jsonOf(value: object): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/** Whether a text holds the presented key or its digest. */
function isSecret(value: unknown, presentedKey: string): boolean {
  if (typeof value !== 'string') return false;
  if (value === presentedKey) return true;
  if (presentedKey.length > shortKeyLength && value.includes(presentedKey)) return true;
  // Hashed only if the text is long enough to hold a digest.
  return value.length >= 64 && value.toLowerCase().includes(toHex(digestOf(presentedKey)));
}

function assertText(field: string, value: unknown): void {
  const expected = mustBeName(value);
  if (expected) throw nonsense(`an identity whose "${field}" is not ${expected}`);
}

function assertTime(field: string, value: unknown): void {
  if (value != null && !isValidDate(value))
    throw nonsense(`an identity whose "${field}" is not a valid Date`);
}

function nonsense(what: string): TypeError {
  return new TypeError(`the key source answered ${what}`);
}

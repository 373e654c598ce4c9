import { KeyStoreError } from '../../stores/key-store-error.js';
import type { DatabaseOptions } from '../database/database-options.js';
import { Failure } from '../failure.js';
import { commandOn, quote } from '../paste-line.js';
import { isShowableName } from '../secrets.js';

const isKeyId = (text: string) => /^[a-z][a-z0-9_]*_[0-9A-Za-z]{10}$/.test(text);

/** Whether this may name a claim link: `claim_` and 10 characters. */
export const isClaimId = (text: string) => /^claim_[0-9A-Za-z]{10}$/.test(text);

/**
 * The error for an unknown key id: which id may have been meant, and where to find the right one.
 */
export function unknownKey(text: string, options: DatabaseOptions, cause?: unknown): Failure {
  return new Failure(`there is no key with this key id${hintForKey(text, options)}`, { cause });
}

function hintForKey(text: string, options: DatabaseOptions): string {
  if (isClaimId(text)) return `; for a claim link use ${commandOn(options, 'revoke', text)}`;
  if (isKeyId(text)) return '';
  const user = isShowableName(text) ? quote(text) : '<user>';
  return `; key ids look like key_4fQz81LmBw, see ${commandOn(options, 'list', `--user ${user}`)}`;
}

/** No claim link has this id. */
export function unknownClaim(cause: unknown): Failure {
  return new Failure('there is no claim link with this id', { cause });
}

/** The user has neither keys nor claim links. */
export function unknownUser(user: string, options: DatabaseOptions): Failure {
  const name = isShowableName(user) ? user : 'this user';
  const list = commandOn(options, 'list');
  return new Failure(`there are no keys or links of ${name}: user names are exact, see ${list}`);
}

/** For the `catch` of a change of one key: adds to an unknown id what may have been meant. */
export const explainUnknownKey =
  (keyId: string, options: DatabaseOptions) =>
  (error: unknown): never => {
    const isUnknown = error instanceof KeyStoreError && error.code === 'unknown_key_id';
    throw isUnknown ? unknownKey(keyId, options, error) : error;
  };

import { ClaimError } from '../../stores/claim-store.js';
import { KeyStoreError } from '../../stores/key-store.js';
import type { DatabaseOptions } from '../database/database-options.js';
import { Failure } from '../failure.js';
import { commandOn, isShowableName, quote } from '../paste-line.js';

const isKeyId = (text: string) => /^[a-z][a-z0-9_]*_[0-9A-Za-z]{10}$/.test(text);
const isClaimId = (text: string) => isKeyId(text) && text.startsWith('claim_');

/** No key has this id: what may have been meant, and where the right id is found. */
export function unknownKey(text: string, options: DatabaseOptions, cause?: unknown): Failure {
  return new Failure(`there is no key with this key id${hintForKey(text, options)}`, { cause });
}

function hintForKey(text: string, options: DatabaseOptions): string {
  if (isClaimId(text)) return `; for a claim link use ${commandOn(options, 'withdraw', text)}`;
  if (isKeyId(text)) return '';
  const user = isShowableName(text) ? quote(text) : '<user>';
  return `; key ids look like key_4fQz81LmBw, see ${commandOn(options, 'list', `--user ${user}`)}`;
}

function unknownClaim(text: string, options: DatabaseOptions, cause: unknown): Failure {
  return new Failure(`there is no claim link with this id${hintForClaim(text, options)}`, {
    cause,
  });
}

function hintForClaim(text: string, options: DatabaseOptions): string {
  if (isClaimId(text)) return '';
  if (isKeyId(text)) return `; for a key use ${commandOn(options, 'revoke', text)}`;
  return `; ids of links look like claim_4fQz81LmBw, see ${commandOn(options, 'claims')}`;
}

/** For the `catch` of a change of one key: adds to an unknown id what may have been meant. */
export const explainUnknownKey =
  (keyId: string, options: DatabaseOptions) =>
  (error: unknown): never => {
    const isUnknown = error instanceof KeyStoreError && error.code === 'unknown_key_id';
    throw isUnknown ? unknownKey(keyId, options, error) : error;
  };

/** For the `catch` of a change of one claim link: adds to an unknown id what may have been meant. */
export const explainUnknownClaim =
  (claimId: string, options: DatabaseOptions) =>
  (error: unknown): never => {
    const isUnknown = error instanceof ClaimError && error.code === 'unknown_claim_id';
    throw isUnknown ? unknownClaim(claimId, options, error) : error;
  };

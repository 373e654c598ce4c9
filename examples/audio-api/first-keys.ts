import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiKeyManager, type CreateKeyOptions, parseApiKey } from 'require-api-key';
import { UPLOAD_SCOPE } from './app.js';
import { isSystemError } from './is-system-error.js';
import type { KeyPlace } from './key-place.js';
import { makePrivateFolder } from './keys-in-sqlite.js';

export interface FirstKey {
  /** The file that holds the key, for the eyes of its owner only. */
  file: string;
  /** The key, if it was made just now. */
  key?: string;
  /** Whether it was revoked, or has expired, since it was made. */
  isOver?: boolean;
}

export interface FirstKeys {
  demo: FirstKey;
  operator: FirstKey;
  /** The token of a claim link for the user alice, if it was made just now. */
  claimToken?: string;
}

/** Makes what is missing: a key for the user demo, one for the key desk, and a claim link. */
export async function ensureFirstKeys({ keys, keyFolder }: KeyPlace): Promise<FirstKeys> {
  makePrivateFolder(keyFolder);
  const demo = await ensureKey(keys, join(keyFolder, 'demo.key'), {
    user: 'demo',
    scopes: [UPLOAD_SCOPE],
  });
  const operator = await ensureKey(keys, join(keyFolder, 'operator.key'), {
    user: 'operator',
    name: 'key desk',
    scopes: ['keys:manage'],
  });
  const claimToken = await inviteAlice(keys);
  return { demo, operator, ...(claimToken !== undefined && { claimToken }) };
}

async function ensureKey(
  keys: ApiKeyManager,
  file: string,
  options: CreateKeyOptions,
): Promise<FirstKey> {
  const kept = readKept(file);
  const known = kept === undefined ? undefined : await keys.get(parseApiKey(kept)?.keyId ?? '');
  if (known !== undefined) {
    const end = known.revokedAt ?? known.expiresAt;
    return { file, isOver: end !== undefined && end.getTime() <= Date.now() };
  }
  const { key, record } = await keys.create({ ...options, reason: 'first start of the example' });
  try {
    // A key that this database does not know.
    if (kept !== undefined) rmSync(file, { force: true });
    // `wx` fails if another start was quicker.
    writeFileSync(file, `${key}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // A key that is not kept in the file is of use to nobody.
    await keys.revoke(record.keyId, { reason: 'it could not be kept in its file' });
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
    return { file };
  }
  return { file, key };
}

function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The token of a new claim link, unless there was one before or alice has a key. */
async function inviteAlice(keys: ApiKeyManager): Promise<string | undefined> {
  const links = await keys.listClaims({ limit: 1 });
  const hers = await keys.list({ user: 'alice', limit: 1 });
  if (links.length > 0 || hers.length > 0) return undefined;
  return (await keys.createClaim({ user: 'alice', scopes: [UPLOAD_SCOPE] })).token;
}

import { Option, type Command } from 'commander';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { ClaimError, type ClaimRecord } from '../../stores/claim-store.js';
import type { KeyRecord } from '../../stores/key-record.js';
import { KeyStoreError } from '../../stores/key-store-error.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { Misuse } from '../failure.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { claimJson } from '../records/claim-records.js';
import { recordJson } from '../records/key-records.js';
import { usableSuccessors } from '../records/successors.js';
import { claimsUpTo } from '../records/list-up-to.js';
import { explainUnknownKey, isClaimId, unknownClaim, unknownUser } from '../records/unknown-id.js';
import { count, plain, printJson, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';

interface Options extends DatabaseOptions, GlobalOptions, ChangeFlags {
  readonly family?: true;
  readonly user?: string;
}

interface RevokedKeys {
  readonly records: readonly KeyRecord[];
  readonly successors: readonly KeyRecord[];
}

/** When the command ran. What was revoked at another time was revoked before. */
interface Run {
  readonly start: Date;
  readonly end: Date;
}

export function addRevoke(program: Command): void {
  const command = addCommand(program, 'revoke', {
    about:
      'Revoke a key, an unused claim link, or everything of a user, at once. ' +
      'This cannot be undone.',
    examples: [
      'revoke key_4fQz81LmBw',
      'revoke key_4fQz81LmBw --family',
      'revoke claim_4fQz81LmBw',
      'revoke --user alice --reason "left the company"',
    ],
  })
    .argument('[id]', 'the key id, or the id of a claim link')
    .addOption(
      new Option(
        '--family',
        'also every key before and after it in its chain of rotations',
      ).conflicts('user'),
    )
    .option('--user <user>', 'all keys and open claim links of this user, in place of one id');
  addChangeOptions(command);
  addDatabaseOptions(command).action(
    async (id: string | undefined, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const { user } = options;
      if (id !== undefined && user === undefined) return revoke(id, options);
      if (id === undefined && user !== undefined) return revokeUser(user, options);
      throw new Misuse('give either the id of a key or claim link, or --user <user>');
    },
  );
}

async function revoke(id: string, options: Options): Promise<void> {
  const start = new Date();
  const revoked = await withKeys(options, (keys) =>
    isClaimId(id) && !options.family
      ? revokeClaim(keys, id, options)
      : revokeKey(keys, id, options).catch(explainUnknownKey(id, options)),
  );
  const run = { start, end: new Date() };
  if ('claimId' in revoked) await showClaim(revoked, run, options);
  else await showKeys(revoked, run, options);
}

/** For the day on which a user leaves. */
async function revokeUser(user: string, options: Options): Promise<void> {
  const { keys, claims } = await withKeys(options, async (manager) => {
    const revoked = await manager.revokeAll({ ...changedBy(options), user });
    const isNothing = revoked.keys.length + revoked.claims.length === 0;
    if (isNothing && !(await hasRecords(manager, user))) throw unknownUser(user, options);
    return revoked;
  });
  if (options.json) {
    return printJson({ keys: keys.map(recordJson), claims: claims.map(claimJson) });
  }
  if (keys.length + claims.length === 0)
    return say(`There is nothing left to revoke of ${plain(user)}.`);
  for (const { keyId } of keys) say(`Revoked ${keyId}.`);
  for (const { claimId } of claims) say(`Revoked ${claimId}.`);
  const all = `${count(keys.length, 'key')} and ${count(claims.length, 'open claim link')}`;
  say(`Revoked ${all} of ${plain(user)}.`);
}

async function revokeKey(
  keys: ApiKeyManager,
  keyId: string,
  options: Options,
): Promise<RevokedKeys> {
  const records = await keys.revoke(keyId, {
    ...changedBy(options),
    family: options.family ?? false,
  });
  const [named] = records;
  return { records, successors: named ? await usableSuccessors(keys, named) : [] };
}

async function revokeClaim(
  keys: ApiKeyManager,
  id: string,
  options: Options,
): Promise<ClaimRecord | RevokedKeys> {
  try {
    return await keys.revokeClaim(id, changedBy(options));
  } catch (error) {
    if (!(error instanceof ClaimError) || error.code !== 'unknown_claim_id') throw error;
    // Keys with the prefix "claim" have ids that look like those of links.
    return revokeKey(keys, id, options).catch((cause: unknown) => {
      const isUnknown = cause instanceof KeyStoreError && cause.code === 'unknown_key_id';
      throw isUnknown ? unknownClaim(error) : cause;
    });
  }
}

/** Whether the user has a key or a claim link of any status. */
async function hasRecords(manager: ApiKeyManager, user: string): Promise<boolean> {
  if ((await manager.list({ user, limit: 1 })).length > 0) return true;
  const links = await claimsUpTo(manager, {}, Number.POSITIVE_INFINITY);
  return links.some((claim) => claim.user === user);
}

async function showClaim(claim: ClaimRecord, run: Run, { json }: Options): Promise<void> {
  if (json) return printJson(claimJson(claim));
  sayRevoked(`${claim.claimId} for ${plain(claim.user)}`, claim, run);
}

async function showKeys(
  { records, successors }: RevokedKeys,
  run: Run,
  { json }: Options,
): Promise<void> {
  if (json) await printJson(records.map(recordJson));
  else
    for (const record of records)
      sayRevoked(`${record.keyId} of ${plain(record.user)}`, record, run);
  // A user who ends a leaked key expects its successors to end too.
  for (const successor of successors)
    say(`Its successor ${successor.keyId} still works; --family revokes it too.`);
}

function sayRevoked(
  what: string,
  { revokedAt }: Pick<KeyRecord, 'revokedAt'>,
  { start, end }: Run,
): void {
  const isOlder = revokedAt && (revokedAt < start || revokedAt > end);
  say(isOlder ? `${what} was revoked already, at ${formatTime(revokedAt)}.` : `Revoked ${what}.`);
}

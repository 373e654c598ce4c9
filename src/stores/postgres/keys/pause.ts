import type { KeyRecord } from '../../key-record.js';
import { keyNotUsable, unknownKeyId } from '../../key-store-error.js';
import type { WriteOptions, KeyPause } from '../../key-store.js';
import { contextParameter, contextSql } from '../context.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql, searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';
import { get } from './get.js';

const now = instantSql('$2');
const isPaused = `k.paused_at is not null and (k.paused_until is null or k.paused_until > ${now})`;

export async function pause(
  executor: Executor,
  keyId: string,
  { pausedAt, pausedUntil }: KeyPause,
  { context }: WriteOptions = {},
): Promise<KeyRecord> {
  return changePause(
    executor,
    'pause',
    `paused_at = case when ${isPaused} then k.paused_at else ${now} end,
      paused_until = ${instantSql('$4')}`,
    [
      searchParameter(keyId),
      instantParameter(pausedAt),
      contextParameter(context),
      instantParameter(pausedUntil),
    ],
  );
}

export async function resume(
  executor: Executor,
  keyId: string,
  resumedAt: Date,
  { context }: WriteOptions = {},
): Promise<KeyRecord> {
  // A key that is not paused is written back unchanged.
  return changePause(
    executor,
    'resume',
    `paused_at = case when ${isPaused} then null else k.paused_at end,
      paused_until = case when ${isPaused} then null else k.paused_until end`,
    [searchParameter(keyId), instantParameter(resumedAt), contextParameter(context)],
  );
}

async function changePause(
  executor: Executor,
  action: string,
  changes: string,
  values: readonly (string | null)[],
): Promise<KeyRecord> {
  const { names } = executor;
  const text = `with ${contextSql('$3')}, changed as (
      update ${names.keys} k set ${changes}
      from context
      where k.key_id = $1::text and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > ${now})
      returning k.*
    )
    select ${selectRecord(names, 'changed')} as record from changed`;
  const [row] = await executor.search(action, { text, values });
  if (row) return readRecord(row);
  const [keyId] = values;
  const record = keyId == null ? undefined : await get(executor, keyId);
  if (!record) throw unknownKeyId();
  await assertNothingHidden(executor, 'keys', commandsOf.change);
  throw keyNotUsable();
}

import type { KeyRecord } from '../../key-record.js';
import { assertNothingHidden } from '../hidden-rows.js';
import { searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';

export async function get(executor: Executor, keyId: string): Promise<KeyRecord | undefined> {
  const { names } = executor;
  const text = `select ${selectRecord(names)} as record from ${names.keys} k
    where k.key_id = $1::text`;
  const [row] = await executor.search('get', { text, values: [searchParameter(keyId)] });
  if (!row) await assertNothingHidden(executor);
  return row && readRecord(row);
}

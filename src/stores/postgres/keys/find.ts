import type { KeyRecord } from '../../key-record.js';
import { assertNothingHidden } from '../hidden-rows.js';
import { searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Session } from '../session.js';

export async function get(session: Session, keyId: string): Promise<KeyRecord | undefined> {
  const { names } = session;
  const text = `select ${selectRecord(names)} as record from ${names.keys} k where k.key_id = $1::text`;
  const [row] = await session.search('get', { text, values: [searchParameter(keyId)] });
  if (!row) await assertNothingHidden(session);
  return row && readRecord(row);
}

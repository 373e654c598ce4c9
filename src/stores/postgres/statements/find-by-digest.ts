import type { StoredKey } from '../../key-record.js';
import { assertNothingHidden, hiddenRow, isHiddenRow } from '../hidden-rows.js';
import { searchParameter } from '../parameters.js';
import { readStoredKey, selectRecord } from '../record.js';
import type { Session } from '../session.js';

export async function findByDigest(
  session: Session,
  digest: string,
): Promise<StoredKey | undefined> {
  const { names } = session;
  const text = `select k.digest, ${selectRecord(names)} as record, null as is_hidden from ${names.keys} k where k.digest = $1::text
    union all ${hiddenRow(names, 2)}`;
  const rows = await session.query('findByDigest', { text, values: [searchParameter(digest)] });
  const row = rows.find((each) => !isHiddenRow(each));
  if (!row && rows.length > 0) await assertNothingHidden(session);
  return row && readStoredKey(row);
}

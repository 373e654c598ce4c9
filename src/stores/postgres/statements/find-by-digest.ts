import type { StoredKey } from '../../key-record.js';
import { searchParameter } from '../parameters.js';
import { readStoredKey, selectRecord } from '../record.js';
import type { Session } from '../session.js';

export async function findByDigest(
  session: Session,
  digest: string,
): Promise<StoredKey | undefined> {
  const { names } = session;
  const text = `select k.digest, ${selectRecord(names)} as record from ${names.keys} k where k.digest = $1::text`;
  const [row] = await session.query('findByDigest', { text, values: [searchParameter(digest)] });
  return row && readStoredKey(row);
}

import type { StoredKey } from '../../key-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { soughtText } from '../parameters.js';
import { readStoredKey, selectRecord } from '../record.js';

export async function findByDigest(
  database: Database,
  names: Names,
  digest: string,
  limitMs: number,
): Promise<StoredKey | undefined> {
  const text = `select k.digest, ${selectRecord(names)} as record from ${names.keys} k where k.digest = $1::text`;
  const [row] = await database.query('findByDigest', { text, values: [soughtText(digest)] }, limitMs);
  return row && readStoredKey(row);
}

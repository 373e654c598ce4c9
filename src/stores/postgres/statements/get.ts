import type { KeyRecord } from '../../key-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { soughtText } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';

export async function get(
  database: Database,
  names: Names,
  keyId: string,
  limitMs: number,
): Promise<KeyRecord | undefined> {
  const text = `select ${selectRecord(names)} as record from ${names.keys} k where k.key_id = $1::text`;
  const [row] = await database.query('get', { text, values: [soughtText(keyId)] }, limitMs);
  return row && readRecord(row);
}

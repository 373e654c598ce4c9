import type { ClaimRecord } from '../../claim-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function findClaim(
  database: Database,
  names: Names,
  tokenDigest: string,
  limitMs: number,
): Promise<ClaimRecord | undefined> {
  const text = `select ${selectClaim()} as claim from ${names.claims} c where c.token_digest = $1::text`;
  const [row] = await database.query('peekClaim', { text, values: [tokenDigest] }, limitMs);
  return row && readClaim(row);
}

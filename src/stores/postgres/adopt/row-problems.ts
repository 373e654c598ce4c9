import type { Names } from '../names.js';
import type { Executor } from '../database.js';
import { isDigestSql, keySql } from './hash-sql.js';
import type { Plan } from './plan.js';

type RowProblem = 'broken' | 'hashed' | 'shown';

const reasons: Readonly<Record<RowProblem, string>> = {
  broken:
    'it begins as a digest does, but is not "sha256:" and 64 hexadecimal digits; correct or ' +
    'delete it first',
  hashed:
    'it is a password hash, from which no digest can be made; delete the row and give its user a ' +
    'new key',
  shown:
    'it is also the user, the name or the key_id of the row, which stand in lists and logs; ' +
    'change that first',
};

/**
 * The problem of the key of row `k`, or null, as an SQL expression. Treating a digest as a key
 * would let in anyone who has seen the table or a backup of it.
 */
export function rowProblemSql(k: string, { shown }: Plan): string {
  const key = keySql(k);
  const isShown = shown.map((column) => `${k}.${column}::text collate "C" = ${key}`).join(' or ');
  return `case
      when ${k}.api_key::text = '' or ${isDigestSql(k)} then null
      when ${key} ~* '^sha256:' then 'broken'
      when ${key} ~ '^[$][0-9a-z-]+[$]' then 'hashed'
      when ${isShown} then 'shown'
    end`;
}

/**
 * @throws {Error} if a key cannot be adopted. The message says where the first such key is and
 *   never quotes it.
 */
export async function assertNoRowProblem(executor: Executor, plan: Plan): Promise<void> {
  const [found] = await executor.query('adopt', { text: firstRowProblem(executor.names, plan) });
  if (!found) return;
  const others = Number(found['count']) - 1;
  throw new Error(
    `PostgresKeyStore: adopt cannot take over ${executor.names.table}.api_key of the row ` +
      `${found['place']}${others === 0 ? '' : ` and ${others} more`}: ` +
      reasons[found['problem'] as RowProblem],
  );
}

const firstRowProblem = (names: Names, plan: Plan) => `
    select problem, place, (pg_catalog.count(*) over (partition by problem))::text as count
    from (
      select ${rowProblemSql('k', plan)} as problem, ${plan.place} as place, k.ctid as ctid
        from ${names.keys} k
    ) judged
    where problem is not null order by problem, ctid limit 1`;

import { searchPattern } from '../../../lib/search-pattern.js';
import { expiringMs, type KeyRecord, type KeyStatus } from '../../key-record.js';
import { type KeyQuery } from '../../key-store.js';
import { unknownKeyId } from '../../key-store-error.js';
import { assertNothingHidden } from '../hidden-rows.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Statement, Executor } from '../database.js';

export async function list(executor: Executor, query: KeyQuery): Promise<KeyRecord[]> {
  const { search, cursor } = query;
  const patterns = search === undefined ? [undefined] : patternsOf(search);
  const statements = patterns.map((pattern) => statementOf(executor.names, query, pattern));
  const rows = await executor.search('list', ...statements);
  if (rows.length < query.limit) await assertNothingHidden(executor);
  if (cursor !== undefined && rows.length === 0) throw unknownKeyId();
  return rows.filter(({ record }) => record !== null).map((row) => readRecord(row));
}

/**
 * The second pattern is for encodings that hold a letter in one case only. LATIN1 has `ÿ` and
 * lacks `Ÿ`.
 */
const patternsOf = (search: string) =>
  searchParameter(search) === null
    ? [null]
    : [searchPattern(search), searchPattern(search, '\u00ff')];

function statementOf(
  names: Names,
  { user, status, limit, cursor, now, unusedSince, expiresBy }: KeyQuery,
  pattern: string | null | undefined,
): Statement {
  const values = [instantParameter(now), String(limit)];
  const conditions = [`${instantSql('$1')} is not null`];
  if (status !== undefined) conditions.push(conditionOf(status, names));
  if (user !== undefined)
    conditions.push(`k.user_name = $${values.push(searchParameter(user))}::text`);
  if (unusedSince !== undefined) {
    const since = instantSql(`$${values.push(instantParameter(unusedSince))}`);
    conditions.push(
      conditionOf('active', names),
      `coalesce(k.last_used_at, k.created_at) <= ${since}`,
    );
  }
  if (expiresBy !== undefined) {
    const by = instantSql(`$${values.push(instantParameter(expiresBy))}`);
    conditions.push(
      `k.revoked_at is null and k.expires_at > ${instantSql('$1')} and k.expires_at <= ${by}`,
    );
  }
  if (pattern !== undefined) {
    const text = `$${values.push(pattern)}::text`;
    conditions.push(`(k.user_name ~ ${text} or k.name ~ ${text} or k.key_id ~ ${text})`);
  }
  const page = (after: string[]) => `select ${selectRecord(names)} as record from ${names.keys} k
    where ${[...conditions, ...after].join(' and ')}
    order by k.created_at desc, k.key_id desc limit $2::text::bigint`;
  if (cursor === undefined) return { text: page([]), values };

  // The row of the cursor comes with every record, or alone if none follows. This tells an unknown
  // cursor from a last page.
  const rest = page(['(k.created_at, k.key_id) < (c.created_at, c.key_id)']);
  const text = `select page.record
    from ${names.keys} c left join lateral (${rest}) page on true
    where c.key_id = $${values.push(searchParameter(cursor))}::text`;
  return { text, values };
}

function conditionOf(status: KeyStatus, names: Names): string {
  const now = instantSql('$1');
  const valid = `k.revoked_at is null and (k.expires_at is null or k.expires_at > ${now})`;
  const paused = `k.paused_at is not null and (k.paused_until is null or k.paused_until > ${now})`;
  const usable = `${valid} and not (${paused})`;
  const replaced = `exists (select from ${names.keys} s where s.replaces = k.key_id)`;
  switch (status) {
    case 'revoked':
      return 'k.revoked_at is not null';
    case 'expired':
      return `k.revoked_at is null and k.expires_at <= ${now}`;
    case 'rotating':
      return `${usable} and ${replaced}`;
    case 'expiring':
      return `${usable} and not ${replaced}
        and k.expires_at <= ${now} + interval '${expiringMs} milliseconds'`;
    case 'paused':
      return `${valid} and ${paused}`;
    case 'active':
      return usable;
  }
}

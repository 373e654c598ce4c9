import { setTimeout as wait } from 'node:timers/promises';
import { warnOnce } from '../../lib/warn.js';
import type { Names } from './names.js';
import { quoteLiteral } from './quote.js';
import { codeOf } from './safe-error.js';
import type { Executor } from './database.js';

/**
 * How long to wait for an exclusive lock, in milliseconds. Every request for an uncached key
 * queues behind it, for no longer than a look-up may take.
 */
const lockMs = 500;
/** Between two attempts, statements that queued behind the lock proceed. */
const pauseMs = 1_000;
const attempts = 30;

/** Limits the wait for locks within the current block. */
export const limitLockWait = `perform pg_catalog.set_config('lock_timeout', '${lockMs}', true);`;

/**
 * Tries again while others hold the table, so that requests never wait long behind this.
 *
 * @throws {Error} that says who holds it, after three quarters of a minute.
 */
export async function withLock<Result>(
  executor: Executor,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (codeOf((error as Error).cause) !== '55P03') throw error;
      const { schema, table } = executor.names;
      const holder = await describeHolder(executor).catch(() => 'somebody holds it');
      if (attempt === attempts) {
        throw new Error(
          `PostgresKeyStore: the table ${schema}.${table} cannot be locked: ${holder}. Nothing ` +
            'was changed; requests go on. Try again when that is over.',
          { cause: error },
        );
      }
      if (attempt === 1) {
        warnOnce(`PostgresKeyStore: waiting to change the table ${schema}.${table}: ${holder}.`);
      }
      await wait(pauseMs);
    }
  }
}

/**
 * Describes the session that has used the tables the longest. PostgreSQL only shows what others
 * do to their own role and to roles that may read all statistics.
 */
async function describeHolder(executor: Executor): Promise<string> {
  const { names } = executor;
  const [found] = await executor.query('lock', { text: holderSql(names) });
  if (!found) return 'it was just released';
  const { pid, role, program, seconds } = found;
  const who = `the process ${pid} of the role ${role}${program ? ` ("${program}")` : ''} holds it`;
  return (
    `${who}${seconds ? `, for ${seconds} s now` : ''}; to end that: select ` +
    `pg_terminate_backend(${pid})`
  );
}

const holderSql = (names: Names): string => `
    select a.pid::text as pid, a.usename::text as role, a.application_name as program,
      pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.xact_start)::bigint::text
        as seconds
    from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where l.granted and l.pid <> pg_catalog.pg_backend_pid()
      and l.relation in (select c.oid from pg_catalog.pg_class c
        where c.oid = pg_catalog.to_regclass(${quoteLiteral(names.keys)})::oid
          or c.oid = pg_catalog.to_regclass(${quoteLiteral(names.claims)})::oid)
    order by a.xact_start nulls last limit 1`;

import type { SetUp } from '../../stores/postgres/diagnose.js';
import { quoteIdentifier } from '../../stores/postgres/quote.js';
import type { Finding } from '../finding.js';

/** From this share of the queue on, it is time to find who blocks it. */
const halfFull = 0.5;

/**
 * Finds what about the server breaks a promise: it is a standby, takes no changes, or has little
 * room for announcements.
 */
export function examineServer(setUp: SetUp): Finding[] {
  const findings: Finding[] = [];
  if (setUp.isStandby) {
    findings.push({
      severity: 'error',
      code: 'standby',
      message:
        'the database is a standby: it announces no change, is behind, and takes no last use and ' +
        'no new key.',
      remedy: 'put the address of the primary into DATABASE_URL',
    });
  } else if (setUp.readOnlySource) {
    findings.push({
      severity: 'error',
      code: 'read_only_database',
      message:
        `transactions are read-only here (set for the ${setUp.readOnlySource}): no last use is ` +
        'noted, and no key can be made or revoked.',
      remedy: `run in psql: ${resetReadOnly(setUp)}`,
    });
  }
  if (setUp.queueUsage >= halfFull) {
    const percent = Math.round(setUp.queueUsage * 100);
    findings.push({
      severity: 'warning',
      code: 'notification_queue',
      message:
        `the server's queue of notifications is ${percent} % full; when it is, changes are seen ` +
        'late by other processes. The oldest transaction is that of ' +
        `${setUp.oldest ?? 'a session that this role may not see'}.`,
      remedy:
        'run in psql: select pg_terminate_backend(pid) from pg_stat_activity ' +
        "where state = 'idle in transaction' order by xact_start limit 1",
    });
  }
  return findings;
}

function resetReadOnly({ readOnlySource, role, database }: SetUp): string {
  const [user, name] = [quoteIdentifier(role), quoteIdentifier(database)];
  const reset = 'reset default_transaction_read_only';
  switch (readOnlySource) {
    case 'user':
      return `alter role ${user} ${reset}`;
    case 'database user':
      return `alter role ${user} in database ${name} ${reset}`;
    default:
      return `alter database ${name} set default_transaction_read_only = off`;
  }
}

import type { SetUp } from '../../stores/postgres/diagnose.js';
import { quoteIdentifier } from '../../stores/postgres/quote.js';
import type { DatabaseOptions } from '../database/database-options.js';
import type { Finding } from '../finding.js';

/**
 * Finds roles that may do too much with the table of keys, and rights or rows that the connected
 * role lacks.
 */
export function examineRights(
  { role, hidden, missingRights, mayCountUses, writers }: SetUp,
  { schema = 'public', table = 'api_keys' }: DatabaseOptions,
): Finding[] {
  const findings: Finding[] = [];
  const keys = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
  const user = quoteIdentifier(role);
  if (hidden.length > 0) {
    const policies = hidden.map(
      (name) => `create policy require_api_key on ${name} to ${user} using (true)`,
    );
    findings.push({
      severity: 'error',
      code: 'row_security',
      message:
        `row-level security may hide rows of ${hidden.join(', ')} from the role ${role}: keys ` +
        'that it cannot find get 503.',
      remedy: `run in psql, as the owner: ${policies.join('; ')}`,
    });
  }
  if (missingRights.length > 0) {
    findings.push({
      severity: missingRights.includes('select') ? 'error' : 'warning',
      code: 'missing_right',
      message:
        `the role ${role} has no right to ${missingRights.join(' and ')} on ${schema}.${table}: ` +
        'without select no key works, without update (last_used_at) no last use is noted and no ' +
        'first use ends an old key.',
      remedy: `run in psql, as the owner: grant ${missingRights.join(', ')} on ${keys} to ${user}`,
    });
  }
  if (!mayCountUses) {
    const usage = `${quoteIdentifier(schema)}.${quoteIdentifier(`${table}_usage`)}`;
    findings.push({
      severity: 'note',
      code: 'uses_not_counted',
      message:
        `the role ${role} may not write ${schema}.${table}_usage, so an application with this ` +
        'role does not count uses per day.',
      remedy:
        'unless it has countUses: false, run in psql, as the owner: grant select, insert, update ' +
        `on ${usage} to ${user}`,
    });
  }
  if (writers.includes('public')) {
    findings.push({
      severity: 'error',
      code: 'open_table',
      message:
        `every role of the database may make or change keys in ${schema}.${table}, and so let ` +
        'itself in.',
      remedy: `run in psql, as the owner: ${revokeWrites(keys, 'public')}`,
    });
  }
  const named = writers.filter((name) => name !== 'public');
  if (named.length > 0) {
    findings.push({
      severity: 'note',
      code: 'other_writers',
      message:
        'besides the owner and superusers, these roles may make or change keys in ' +
        `${schema}.${table}, and so let themselves in: ${named.join(', ')}.`,
      remedy: remedyFor(keys, named),
    });
  }
  return findings;
}

function remedyFor(keys: string, named: readonly string[]): string {
  const roles = named.map(quoteIdentifier).join(', ');
  const remaining = `grant update (last_used_at) on ${keys} to ${roles}`;
  return (
    'leave out each role that is an operator of keys. A role that serves the claim page needs ' +
    'insert, and one that serves the account page also update (expires_at, revoked_at). Every ' +
    'other loses only the right to write keys if you run in psql, as the owner: ' +
    `${revokeWrites(keys, roles)}; ${remaining}`
  );
}

/**
 * Leaves the right to read, which an application needs. Rights on single columns go as well.
 */
const revokeWrites = (keys: string, roles: string) =>
  `revoke insert, update, delete, truncate, trigger on ${keys} from ${roles}`;

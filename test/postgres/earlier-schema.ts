import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { migrations } from '../../src/stores/postgres/schema/migrations.js';

export const latestVersion = migrations.length;
/** Those that `migrate` upgrades. */
export const earlierVersions = migrations.slice(0, -1).map(({ version }) => version);

/**
 * Makes the tables as the library of that version made them: by the SQL of the time in `schemas`,
 * one file for what each version added, never by the steps of today.
 */
export async function makeSchema(
  client: pg.Pool | pg.Client,
  version: number,
  table = 'api_keys',
): Promise<void> {
  for (let each = 1; each <= version; each++) {
    const sql = readFileSync(new URL(`schemas/version-${each}.sql`, import.meta.url), 'utf8');
    await client.query(sql.replaceAll('api_keys', table));
  }
}

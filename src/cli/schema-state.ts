import type { SchemaState } from '../stores/postgres/inspect.js';

export interface StateProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What is wrong with the tables and how to mend it, or `undefined` where they are ready. */
export function describeState(
  { state, version }: { readonly state: SchemaState; readonly version: number },
  table: string,
): StateProblem | undefined {
  switch (state) {
    case 'ready':
      return undefined;
    case 'missing':
      return {
        code: 'not_migrated',
        message: `the database has no table ${table}`,
        remedy: 'run require-api-key migrate',
      };
    case 'older':
      return {
        code: 'not_migrated',
        message: `the table ${table} is of version ${version} and not up to date`,
        remedy: 'run require-api-key migrate',
      };
    case 'newer':
      return {
        code: 'newer_schema',
        message: `the table ${table} is of version ${version}, newer than this library knows`,
        remedy: 'update require-api-key to the version that made it, or a later one',
      };
    case 'plaintext':
      return {
        code: 'plaintext_table',
        message: `the table ${table} holds keys in plaintext`,
        remedy: 'run require-api-key adopt, which hashes them in place and loses none',
      };
    case 'foreign':
      return {
        code: 'foreign_table',
        message: `the table ${table} is something else than a table of keys`,
        remedy: 'name another with --table or --schema',
      };
  }
}

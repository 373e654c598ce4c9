import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import {
  addDatabaseOptions,
  tableName,
  type DatabaseOptions,
} from '../database/database-options.js';
import { withStore } from '../database/open-database.js';
import { describeState } from '../database/schema-state.js';
import { Failure } from '../failure.js';
import { printJson, say } from '../terminal/output.js';

type Options = DatabaseOptions & GlobalOptions;

const refused = new Set(['newer', 'plaintext', 'unrelated']);

export function addMigrate(program: Command): void {
  const command = addCommand(program, 'migrate', {
    about: 'Create the tables, or upgrade them. Tables that are up to date are not changed.',
    examples: ['migrate'],
  });
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    migrate(self.optsWithGlobals<Options>()),
  );
}

async function migrate(options: Options): Promise<void> {
  const table = tableName(options);
  const { before, wasDisarmed, after } = await withStore(options, async (store) => {
    const found = await store.inspect();
    const problem = describeState(found, options);
    if (problem && refused.has(found.state))
      throw new Failure(`${problem.message}: ${problem.remedy}`);
    await store.migrate();
    return {
      before: found.version,
      wasDisarmed: found.state === 'disarmed',
      after: (await store.inspect()).version,
    };
  });
  if (options.json) return printJson({ table, before, after });
  say(`The table ${table} ${describeOutcome(before, after, wasDisarmed)} (version ${after}).`);
}

function describeOutcome(before: number, after: number, wasDisarmed: boolean): string {
  if (before === 0) return 'is created';
  if (before !== after) return `is upgraded from version ${before}`;
  return wasDisarmed ? 'has its triggers back' : 'is up to date';
}

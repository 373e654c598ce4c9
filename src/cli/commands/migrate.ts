import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withStore, type DatabaseOptions } from '../database.js';
import { Failure } from '../failure.js';
import { describeState, tableName } from '../schema-state.js';
import { printJson, say } from '../terminal/output.js';

type Options = DatabaseOptions & GlobalOptions;

const refused = new Set(['newer', 'plaintext', 'foreign']);

export function addMigrate(program: Command): void {
  const command = addCommand(program, 'migrate', {
    about: 'Create the tables, or bring them up to date; changes nothing where they are.',
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
    if (problem && refused.has(found.state)) throw new Failure(`${problem.message}: ${problem.remedy}`);
    await store.migrate();
    return {
      before: found.version,
      wasDisarmed: found.state === 'disarmed',
      after: (await store.inspect()).version,
    };
  });
  if (options.json) return printJson({ table, before, after });
  const outcome =
    before !== after
      ? before === 0
        ? 'is made'
        : `is upgraded from version ${before}`
      : wasDisarmed
        ? 'has its triggers back'
        : 'is up to date';
  say(`The table ${table} ${outcome} (version ${after}).`);
}

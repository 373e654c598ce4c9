import type { Command } from 'commander';
import { isVariable } from '../../sources/env-key.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, findDatabaseUrl, type DatabaseOptions } from '../database.js';
import { examineDatabase } from '../doctor/database.js';
import { examineEnvFile, examineLines, readEnvFile } from '../doctor/env-file.js';
import { formatFinding, isTrouble, maskFinding, type Finding } from '../doctor/finding.js';
import { examineUnset, examineVariable, isFilled, type KeyVariable } from '../doctor/variables.js';
import { loadEnvironment, outerEnvironment } from '../environment.js';
import { print, printJson } from '../terminal/output.js';
import { checked, repeated } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly variable?: readonly string[];
  readonly listVariable?: readonly string[];
}

const checkVariable = checked(isVariable);
const variableArgument = (text: string, before: readonly string[] | undefined) =>
  repeated(checkVariable(text), before);

export function addDoctor(program: Command): void {
  const command = addCommand(program, 'doctor', {
    about:
      'Look for what is wrong with the environment, the .env, the database and its keys, and say how to mend it.',
    examples: ['doctor', 'doctor --variable METRICS_KEY --list-variable PARTNER_KEYS'],
  })
    .option(
      '--variable <name>',
      'a variable that holds one key; repeatable (default: INTERNAL_API_KEY)',
      variableArgument,
    )
    .option(
      '--list-variable <name>',
      'a variable that holds user:key pairs; repeatable (default: API_KEYS)',
      variableArgument,
    );
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    doctor(self.optsWithGlobals<Options>()),
  );
}

async function doctor(options: Options): Promise<void> {
  const findings = (await examine(options)).map(maskFinding);
  const trouble = findings.filter(isTrouble);
  if (trouble.length > 0) process.exitCode = 1;
  if (options.json) return printJson({ ok: trouble.length === 0, findings });
  const verdict =
    trouble.length === 0
      ? 'Nothing is wrong.'
      : `${trouble.length} ${trouble.length === 1 ? 'thing is' : 'things are'} wrong.`;
  await print([...findings.map(formatFinding), verdict].join('\n'));
}

async function examine(options: Options): Promise<Finding[]> {
  const { variables, wereNamed } = variablesOf(options);
  const names = [...variables.map(({ name }) => name), 'DATABASE_URL'];
  const file = readEnvFile();
  loadEnvironment(names);
  const hasDatabase = findDatabaseUrl(options) !== undefined;
  return [
    ...examineUnset(variables, process.env, { wereNamed, hasDatabase }),
    ...variables.flatMap((variable) => {
      const value = process.env[variable.name];
      return isFilled(value) ? examineVariable(variable, value) : [];
    }),
    ...(file ? examineLines(file, names, outerEnvironment) : []),
    ...(await examineEnvFile(file, variables)),
    ...(await examineDatabase(options)),
  ];
}

/** Those of `requireApiKey()` without options, unless others are named. */
function variablesOf({ variable, listVariable }: Options): { variables: KeyVariable[]; wereNamed: boolean } {
  const wereNamed = variable !== undefined || listVariable !== undefined;
  const [single, lists] = wereNamed
    ? [variable ?? [], listVariable ?? []]
    : [['INTERNAL_API_KEY'], ['API_KEYS']];
  const variables = [
    ...single.map((name) => ({ name, isList: false })),
    ...lists.map((name) => ({ name, isList: true })),
  ];
  return { variables, wereNamed };
}

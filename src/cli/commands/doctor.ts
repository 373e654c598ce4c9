import type { Command } from 'commander';
import { mustBeVariableName } from '../../sources/env-key.js';
import { addCommand, type GlobalOptions } from '../command.js';
import {
  addDatabaseOptions,
  findDatabaseUrl,
  type DatabaseOptions,
} from '../database/database-options.js';
import { examineDatabase } from '../doctor/database.js';
import {
  describeJoined,
  examineEnvFile,
  examineLines,
  findJoined,
  readEnvFile,
} from '../doctor/env-file.js';
import { examineReaders } from '../doctor/env-readers.js';
import { examineUnset } from '../doctor/unset-variables.js';
import { examineVariable, isFilled, type KeyVariable } from '../doctor/variables.js';
import { loadEnvironment, outerEnvironment } from '../environment.js';
import { formatFinding, isProblem, maskFinding, type Finding } from '../finding.js';
import { count, print, printJson } from '../terminal/output.js';
import { argumentOf, collect } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly variable?: readonly string[];
  readonly listVariable?: readonly string[];
}

const variableArgument = collect(argumentOf(mustBeVariableName));

export function addDoctor(program: Command): void {
  const command = addCommand(program, 'doctor', {
    about:
      'Find what is wrong with the environment, the .env, the database and its keys, and say how ' +
      'to fix it.',
    examples: ['doctor', 'doctor --variable METRICS_KEY --list-variable PARTNER_KEYS'],
  })
    .option(
      '--variable <name>',
      'a variable that holds one key; repeat for each variable (default: INTERNAL_API_KEY)',
      variableArgument,
    )
    .option(
      '--list-variable <name>',
      'a variable that holds user:key pairs; repeat for each variable (default: API_KEYS)',
      variableArgument,
    );
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    doctor(self.optsWithGlobals<Options>()),
  );
}

async function doctor(options: Options): Promise<void> {
  const findings = (await examine(options)).map(maskFinding);
  const problems = findings.filter(isProblem);
  if (problems.length > 0) process.exitCode = 1;
  if (options.json) return printJson({ ok: problems.length === 0, findings });
  const conclusion =
    problems.length === 0 ? 'No problems found.' : `Found ${count(problems.length, 'problem')}.`;
  await print([...findings.map(formatFinding), conclusion].join('\n'));
}

async function examine(options: Options): Promise<Finding[]> {
  const { variables, wereNamed } = variablesOf(options);
  const names = [...variables.map(({ name }) => name), 'DATABASE_URL'];
  const file = readEnvFile();
  loadEnvironment(names);
  const hasDatabase = findDatabaseUrl(options) !== undefined;
  const joined = file ? findJoined(file, names) : [];
  const inLines = file && !file.wrong?.isWhole ? examineLines(file, names, outerEnvironment) : [];
  return [
    ...(file
      ? examineReaders(
          file,
          names,
          joined.map(({ line }) => line),
        )
      : []),
    ...joined.map(describeJoined),
    ...examineUnset(variables, process.env, {
      wereNamed,
      hasDatabase,
      inFile: file?.values ?? {},
      joined: joined.map(({ name }) => name),
      isUnread: file?.wrong?.isWhole ?? false,
    }),
    ...variables.flatMap((variable) => {
      const value = process.env[variable.name];
      const isQuoteTold = inLines.some(
        ({ code, message }) =>
          code === 'quoted_variable' && message.startsWith(`${variable.name} `),
      );
      return isFilled(value) ? examineVariable(variable, value, isQuoteTold) : [];
    }),
    ...inLines,
    ...(await examineEnvFile(file, variables)),
    ...(await examineDatabase(options)),
  ];
}

/** The variables of `requireApiKey()` without options, unless others are named. */
function variablesOf({ variable, listVariable }: Options): {
  variables: KeyVariable[];
  wereNamed: boolean;
} {
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

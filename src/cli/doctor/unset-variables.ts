import { envFile } from '../environment.js';
import { withoutMarks } from '../env-file/decode.js';
import type { Finding } from '../finding.js';
import { programName } from '../paste-line.js';
import { findSimilarNames, visibleName } from './similar-names.js';
import { isFilled, type Environment, type KeyVariable } from './variables.js';

/** The most names that are listed. */
const maxSimilar = 3;

interface Circumstances {
  /** Whether somebody named the variables. Then each must be set. */
  readonly wereNamed: boolean;
  readonly hasDatabase: boolean;
  /** The variables of the `.env`. They may not be in the environment. */
  readonly inFile: Environment;
  /** Variables that stand in the `.env`, but not on lines of their own. */
  readonly joined: readonly string[];
  /** Whether nothing reads the `.env` because it is not UTF-8. */
  readonly isUnread: boolean;
}

/** Reports unset variables if the app has no key without them. */
export function examineUnset(
  variables: readonly KeyVariable[],
  environment: Environment,
  { wereNamed, hasDatabase, inFile, joined, isUnread }: Circumstances,
): Finding[] {
  const unset = variables.filter(({ name }) => environment[name] === undefined);
  const empty = variables.filter(
    ({ name }) => environment[name] !== undefined && !isFilled(environment[name]),
  );
  const isConfigured = hasDatabase || unset.length + empty.length < variables.length;
  const severity = wereNamed || !isConfigured ? 'error' : 'warning';
  const findings: Finding[] = empty.map(({ name, isList }) => ({
    severity,
    code: 'empty_variable',
    message: `${name} is set but empty.`,
    remedy:
      `set it, see ${programName} generate --env ${name}${isList ? ' --user <user>' : ''}, or ` +
      'remove it',
  }));
  if (unset.length === 0 || (isConfigured && !wereNamed) || (empty.length > 0 && !wereNamed))
    return findings;
  const names = unset.map(({ name }) => name);
  findings.push({
    severity: 'error',
    code: 'unset_variable',
    message:
      `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set: requireApiKey() ` +
      'answers 503.',
    remedy: isUnread
      ? 'fix .env first, as described above'
      : names.some((name) => joined.includes(name))
        ? 'fix the line of .env that is named above'
        : remedyForUnset(unset, without(variables, { ...inFile, ...environment }), wereNamed),
  });
  return findings;
}

function remedyForUnset(
  unset: readonly KeyVariable[],
  others: Environment,
  wereNamed: boolean,
): string {
  const similar = findSimilarNames(unset, others, !wereNamed).slice(0, maxSimilar);
  if (similar.length > 0) {
    return similar
      .map(({ name, meant }) =>
        visibleName(name) === name
          ? `${name} is set, but the library reads ${meant}: rename it`
          : describeHidden(name, meant),
      )
      .join('; ');
  }
  const [{ name, isList } = { name: '<name>', isList: false }] = unset;
  return `${programName} generate --env ${name}${isList ? ' --user <user>' : ''} --out .env`;
}

/** Describes a name with invisible characters, whose difference a reader could not see. */
function describeHidden(name: string, meant: string): string {
  const what = name.startsWith('\uFEFF')
    ? 'a byte order mark'
    : /^\s*export\s/.test(name)
      ? 'the word export'
      : 'blanks or invisible characters';
  const mend = name.startsWith('\uFEFF')
    ? `take the mark out of the file that it comes from: ${withoutMarks(envFile)}`
    : 'rename it';
  return (
    `a variable is set whose name is ${visibleName(name)} with ${what} in it, but the library ` +
    `reads ${meant}: ${mend}`
  );
}

function without(variables: readonly KeyVariable[], environment: Environment): Environment {
  const names = new Set(variables.map(({ name }) => name));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.has(name)));
}

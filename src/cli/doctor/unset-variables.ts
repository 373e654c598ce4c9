import type { Finding } from '../finding.js';
import { programName } from '../paste-line.js';
import { findSimilarNames } from './similar-names.js';
import { isFilled, type Environment, type KeyVariable } from './variables.js';

/** As many names as are told of. */
const maxSimilar = 3;

interface Circumstances {
  /** Whether somebody named the variables: then each has to be set. */
  readonly wereNamed: boolean;
  readonly hasDatabase: boolean;
  /** The variables of the `.env`, of which no others were taken over. */
  readonly inFile: Environment;
  /** Variables that stand in the `.env`, but not on lines of their own. */
  readonly joined: readonly string[];
}

/** Of variables that are not set, where that leaves the app without a key. */
export function examineUnset(
  variables: readonly KeyVariable[],
  environment: Environment,
  { wereNamed, hasDatabase, inFile, joined }: Circumstances,
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
    remedy: `set it, see ${programName} generate --env ${name}${isList ? ' --user <user>' : ''}, or remove it`,
  }));
  if (unset.length === 0 || (isConfigured && !wereNamed) || (empty.length > 0 && !wereNamed))
    return findings;
  const names = unset.map(({ name }) => name);
  findings.push({
    severity: 'error',
    code: 'unset_variable',
    message: `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not set: requireApiKey() answers 503.`,
    remedy: names.some((name) => joined.includes(name))
      ? 'mend the line of .env that is told of above'
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
      .map(({ name, meant }) => `${name} is set, but the library reads ${meant}: rename it`)
      .join('; ');
  }
  const [{ name, isList } = { name: '<name>', isList: false }] = unset;
  return `${programName} generate --env ${name}${isList ? ' --user <user>' : ''} --out .env`;
}

function without(variables: readonly KeyVariable[], environment: Environment): Environment {
  const names = new Set(variables.map(({ name }) => name));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.has(name)));
}

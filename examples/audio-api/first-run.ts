import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { config, parse } from 'dotenv';
import { generateApiKey } from 'require-api-key';

export const ENV_FILE = '.env';

const KEY_VARIABLES = ['API_KEYS', 'INTERNAL_API_KEY'] as const;
type KeyVariable = (typeof KEY_VARIABLES)[number];

export type FirstKey =
  /** Made just now. */
  | { origin: 'new'; demoKey: string }
  /** In the file, from an earlier start. */
  | { origin: 'file' }
  /** The operator's own, wherever they are. */
  | { origin: 'operator' };

/** Reads the file into `process.env`; what is set there already stands. */
export function readEnvFile(): Record<string, string> {
  // A variable that is there but blank would otherwise hide the one in the file.
  for (const name of [...KEY_VARIABLES, 'DATABASE_URL'])
    if (!process.env[name]?.trim()) delete process.env[name];
  return config({ path: ENV_FILE, quiet: true }).parsed ?? {};
}

/**
 * Where neither the environment nor the file names a key, makes one for a user `demo` and one for the internal route,
 * and keeps both in the file.
 */
export function ensureKeys(): FirstKey {
  const demoKey = generateApiKey({ prefix: 'demo' }).key;
  const isNew = keepUnlessSet({ API_KEYS: `demo:${demoKey}`, INTERNAL_API_KEY: newInternalKey() });
  const inFile = readEnvFile();
  if (isNew) return { origin: 'new', demoKey };
  const isDemo =
    inFile['API_KEYS']?.startsWith('demo:') && inFile['API_KEYS'] === process.env['API_KEYS'];
  return { origin: isDemo ? 'file' : 'operator' };
}

/** The key of the internal route alone; says whether it was made just now. */
export function ensureInternalKey(): boolean {
  const isNew = keepUnlessSet({ INTERNAL_API_KEY: newInternalKey() });
  readEnvFile();
  return isNew;
}

const newInternalKey = () => generateApiKey({ prefix: 'internal' }).key;

/** `false` where one of the variables is set, or another start of the app was quicker and one is in the file by now. */
function keepUnlessSet(values: Partial<Record<KeyVariable, string>>): boolean {
  const names = Object.keys(values);
  readEnvFile();
  if (isAnySet(names, process.env)) return false;
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  try {
    return writeNewOrAppend(ENV_FILE, lines.join(''), names);
  } catch (cause) {
    const reason = `the first keys could not be kept in ${ENV_FILE}; set ${names.join(' and ')} yourself.`;
    throw new Error(reason, { cause });
  }
}

function isAnySet(names: readonly string[], env: Record<string, string | undefined>): boolean {
  return names.some((name) => env[name]?.trim());
}

function writeNewOrAppend(path: string, text: string, names: readonly string[]): boolean {
  try {
    // `wx` fails where a file is: nobody's .env is ever overwritten, also not one made a moment ago.
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const before = readFileSync(path, 'utf8');
    if (isAnySet(names, parse(before))) return false;
    // Before the keys are in it, not after: nobody else may read them in between.
    chmodSync(path, 0o600);
    appendFileSync(path, /[^\n]$/.test(before) ? `\n${text}` : text);
  }
  return true;
}

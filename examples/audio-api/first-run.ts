import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { config, parse } from 'dotenv';
import { generateApiKey } from 'require-api-key';

const KEY_VARIABLES = ['API_KEYS', 'INTERNAL_API_KEY'] as const;

export type FirstKey =
  /** Made just now. */
  | { origin: 'new'; demoKey: string }
  /** In the file, from an earlier start. */
  | { origin: 'file' }
  /** The operator's own, wherever they are. */
  | { origin: 'operator' };

/** Reads the file into `process.env`; what is set there already stands. */
export function readEnvFile(envFile: string): Record<string, string> {
  // A variable that is there but blank would otherwise hide the one in the file.
  for (const name of KEY_VARIABLES) if (!process.env[name]?.trim()) delete process.env[name];
  return config({ path: envFile, quiet: true }).parsed ?? {};
}

/**
 * Where neither the environment nor the file names a key, makes one for a user `demo` and one for the internal route,
 * and keeps both in the file.
 */
export function ensureKeys(envFile: string): FirstKey {
  readEnvFile(envFile);
  const demoKey = hasKeys(process.env) ? undefined : makeKeys(envFile);
  const inFile = readEnvFile(envFile);
  if (demoKey !== undefined) return { origin: 'new', demoKey };
  const isDemo = inFile['API_KEYS']?.startsWith('demo:') && inFile['API_KEYS'] === process.env['API_KEYS'];
  return { origin: isDemo ? 'file' : 'operator' };
}

function hasKeys(env: Record<string, string | undefined>): boolean {
  return KEY_VARIABLES.some((name) => env[name]?.trim());
}

/** The key for `demo`, or `undefined` where another start of the app was quicker and the file has keys by now. */
function makeKeys(envFile: string): string | undefined {
  const demoKey = generateApiKey({ prefix: 'demo' }).key;
  const internalKey = generateApiKey({ prefix: 'internal' }).key;
  try {
    const isKept = writeNewOrAppend(envFile, `API_KEYS=demo:${demoKey}\nINTERNAL_API_KEY=${internalKey}\n`);
    return isKept ? demoKey : undefined;
  } catch (cause) {
    const reason = `the first keys could not be kept in ${envFile}; set API_KEYS and INTERNAL_API_KEY yourself.`;
    throw new Error(reason, { cause });
  }
}

function writeNewOrAppend(path: string, text: string): boolean {
  try {
    // `wx` fails where a file is: nobody's .env is ever overwritten, also not one made a moment ago.
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const before = readFileSync(path, 'utf8');
    if (hasKeys(parse(before))) return false;
    // Before the keys are in it, not after: nobody else may read them in between.
    chmodSync(path, 0o600);
    appendFileSync(path, /[^\n]$/.test(before) ? `\n${text}` : text);
  }
  return true;
}

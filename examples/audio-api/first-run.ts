import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { config, parse } from 'dotenv';
import { generateApiKey } from 'require-api-key';

const ENV_FILE = '.env';
const INTERNAL_KEY = 'INTERNAL_API_KEY';

/** Reads the file into `process.env`. What is set there already stands. */
export function readEnvFile(): void {
  // A variable that is there but blank would otherwise hide the one in the file.
  for (const name of ['API_KEYS', INTERNAL_KEY, 'DATABASE_URL', 'DEMO_LOGIN_SECRET'])
    if (!process.env[name]?.trim()) delete process.env[name];
  config({ path: ENV_FILE, quiet: true });
}

/**
 * Makes the key of the internal route and keeps it in the file, unless one is set already. Says how
 * a shell finds it.
 */
export function ensureInternalKey(): string {
  const before = process.env[INTERNAL_KEY]?.trim();
  if (before && before !== keyInFile()) return `$${INTERNAL_KEY}`;
  if (!before) makeInternalKey();
  return `$(sed -n 's/^${INTERNAL_KEY}=//p' ${ENV_FILE} | tail -n 1)`;
}

function keyInFile(): string | undefined {
  try {
    return parse(readFileSync(ENV_FILE, 'utf8'))[INTERNAL_KEY];
  } catch {
    return undefined;
  }
}

function makeInternalKey(): void {
  try {
    addToEnvFile(`${INTERNAL_KEY}=${generateApiKey({ prefix: 'internal' }).key}\n`);
  } catch (cause) {
    const reason = `${INTERNAL_KEY} could not be kept in ${ENV_FILE}; set it yourself.`;
    throw new Error(reason, { cause });
  }
  readEnvFile();
}

function addToEnvFile(line: string): void {
  try {
    // `wx` fails if there is a file: nobody's .env is ever overwritten.
    writeFileSync(ENV_FILE, line, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const before = readFileSync(ENV_FILE, 'utf8');
    // Another start was quicker.
    if (parse(before)[INTERNAL_KEY]?.trim()) return;
    // Before the key is in it, not after: nobody else may read it in between.
    chmodSync(ENV_FILE, 0o600);
    appendFileSync(ENV_FILE, /[^\n]$/.test(before) ? `\n${line}` : line);
  }
}

import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

export const envFile = '.env';

/** The environment without what was read from a `.env`. Other programs are started with it. */
export const outerEnvironment: Readonly<NodeJS.ProcessEnv> = { ...process.env };

/**
 * Takes `DATABASE_URL`, the variables of `pg` (`PGHOST`) and the given ones from the `.env` of
 * this folder, unless they are set. It takes nothing else: the author of the file could load code
 * into this process and those that it starts.
 */
export function loadEnvironment(names: readonly string[] = []): void {
  const wanted = new Set(['DATABASE_URL', ...names]);
  for (const [name, value] of Object.entries(readEnvVariables())) {
    if (wanted.has(name) || /^PG[A-Z]+$/.test(name)) process.env[name] ??= value;
  }
}

/** The variables of the `.env` of this folder, as `dotenv` reads them. */
export function readEnvVariables(): Readonly<Record<string, string>> {
  try {
    return parse(readFileSync(envFile, 'utf8'));
  } catch {
    return {};
  }
}

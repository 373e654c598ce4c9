import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';

export const envFile = '.env';

/**
 * What came from outside, before anything was taken over from a `.env`: what other programs are
 * started with.
 */
export const outerEnvironment: Readonly<NodeJS.ProcessEnv> = { ...process.env };

/**
 * Takes over from the `.env` of this folder, where the environment has none, `DATABASE_URL`, what
 * `pg` reads (`PGHOST`), and these variables. Not the rest: whoever wrote the file could load
 * code with it into this process and those it starts.
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

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { SqliteDatabase } from './driver.js';

/**
 * Opens a file with a driver. `isImmutable` tells SQLite that nobody changes the file, which it
 * needs to read one in a folder that cannot be written.
 */
export type OpenDatabase = (path: string, isImmutable?: boolean) => SqliteDatabase;

type DatabaseClass = (new (path: string | Buffer, options?: object) => SqliteDatabase) & {
  readonly prototype: object;
};

/** Tried in this order if this Node has no `node:sqlite`. */
const packages = ['better-sqlite3', 'libsql'] as const;

/**
 * The first driver that works here.
 *
 * @throws {Error} that says what to install
 */
export async function findDriver(): Promise<OpenDatabase> {
  const ownClass = databaseSync();
  if (ownClass) return openByUrl(ownClass);
  const reasons: string[] = [];
  for (const name of packages) {
    try {
      const loaded = (await import(name)) as { default?: unknown };
      const Database = (loaded.default ?? loaded) as DatabaseClass;
      if (wouldCrash(Database)) {
        reasons.push('better-sqlite3 13 needs Node 22: install better-sqlite3@12');
        continue;
      }
      // A package whose native part was not built fails here, not when it is loaded.
      (new Database(':memory:') as { close?: () => void }).close?.();
      return name === 'better-sqlite3' ? openByCopy(Database) : openByUrl(Database);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const isAbsent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
      if (!isAbsent) reasons.push(`${name} is installed and does not work here`);
    }
  }
  const found = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  throw new Error(
    `SqliteKeyStore: no SQLite driver found${found}. Use Node 22.13 or later, which has one, ` +
      'or run "npm install libsql" or "npm install better-sqlite3@12".',
  );
}

/**
 * Whether opening a database would end the process: `better-sqlite3` 13 does so on Node 20, which
 * npm does not prevent. Its class is the first with `explain`.
 */
function wouldCrash({ prototype }: DatabaseClass): boolean {
  return Number.parseInt(process.versions.node, 10) < 22 && 'explain' in prototype;
}

const openByUrl =
  (Database: DatabaseClass): OpenDatabase =>
  (path, isImmutable = false) =>
    new Database(isImmutable ? `${pathToFileURL(path).href}?immutable=1` : path);

/** `better-sqlite3` knows no URLs. It reads a copy of such a file in memory. */
const openByCopy =
  (Database: DatabaseClass): OpenDatabase =>
  (path, isImmutable = false) => {
    if (!isImmutable) return new Database(path);
    const copy = readFileSync(path);
    // Bytes 18 and 19 of the header ask for a WAL file, which a database in memory cannot have.
    copy.fill(1, 18, 20);
    return new Database(copy, { readonly: true });
  };

/** `DatabaseSync` of `node:sqlite`, if this Node has it without a flag. */
function databaseSync(): DatabaseClass | undefined {
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was found
  const { emitWarning } = process;
  // Earlier versions of Node warn that it is experimental. The user could do nothing about that.
  process.emitWarning = () => {};
  try {
    const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => unknown };
    const loaded = getBuiltinModule?.('node:sqlite');
    return (loaded as { DatabaseSync?: DatabaseClass } | undefined)?.DatabaseSync;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

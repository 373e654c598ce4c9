import type { SqliteDatabase } from './driver.js';

/** Opens a file with a driver. */
export type OpenDatabase = (path: string) => SqliteDatabase;

type DatabaseClass = new (path: string) => SqliteDatabase;

/** Tried in this order if this Node has no `node:sqlite`. */
const packages = ['better-sqlite3', 'libsql'] as const;

/**
 * The first driver that works here.
 *
 * @throws {Error} that says what to install
 */
export async function findDriver(): Promise<OpenDatabase> {
  const ownClass = databaseSync();
  if (ownClass) return (path) => new ownClass(path);
  const reasons: string[] = [];
  for (const name of packages) {
    try {
      const loaded = (await import(name)) as { default?: unknown };
      const Database = (loaded.default ?? loaded) as DatabaseClass;
      // A package whose native part was not built fails here, not when it is loaded.
      (new Database(':memory:') as { close?: () => void }).close?.();
      return (path) => new Database(path);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const isAbsent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
      if (!isAbsent) reasons.push(`${name} is installed and does not work here`);
    }
  }
  const found = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  throw new Error(
    `SqliteKeyStore: no SQLite driver found${found}. Use Node 22.13 or later, which has one, ` +
      'or run "npm install better-sqlite3" or "npm install libsql".',
  );
}

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

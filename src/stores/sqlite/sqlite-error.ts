import { isError } from '../../lib/errors.js';
import { maskSecrets } from '../../lib/mask.js';
import { ClaimError } from '../claim-store.js';
import { KeyStoreError } from '../key-store-error.js';

/** SQLite's primary result codes that help a caller. */
const codes: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
};

/** The name of the primary result code, or the system's code of an earlier error. */
export function codeOf(error: unknown): string | undefined {
  const { code, errcode, rawCode } = (error ?? {}) as Record<string, unknown>;
  const number = [errcode, rawCode].find((each) => typeof each === 'number');
  // The lowest byte is the primary code. The others give details.
  if (number !== undefined) return codes[number & 0xff] ?? `SQLITE_${String(number)}`;
  if (typeof code === 'string' && code.startsWith('SQLITE_'))
    return /^SQLITE_[A-Z]+/.exec(code)?.[0];
  // libSQL says no more than this about a file that it cannot open.
  if (isError(error) && error.message.includes('Unable to open connection')) return codes[14];
  return typeof code === 'string' && code !== '' ? code : undefined;
}

/** Whether another connection held the lock. The statement had no effect and may be tried again. */
export const isBusy = (error: unknown): boolean => codeOf(error) === 'SQLITE_BUSY';

/**
 * The error with which a method rejects. Errors of the caller pass unchanged. For a fault, the
 * message says what to do and the `cause` has SQLite's `code`. Neither holds a digest or a key.
 */
export function toSafeError(action: string, place: string, error: unknown): Error {
  if (error instanceof KeyStoreError || error instanceof ClaimError) return error;
  const message = messageOf(error);
  const code = codeOf(error);
  const cause = Object.assign(new Error(message), code !== undefined && { code });
  if (isError(error) && error.stack) cause.stack = maskSecrets(error.stack);
  return new Error(`SqliteKeyStore: ${action} failed: ${message}${hintFor(code, message, place)}`, {
    cause,
  });
}

function hintFor(code: string | undefined, message: string, place: string): string {
  switch (code) {
    case 'SQLITE_BUSY':
      return `; ${place} stayed locked by another connection: is a transaction left open there?`;
    case 'SQLITE_NOTADB':
      return `; ${place} is not a SQLite database, or is encrypted`;
    case 'SQLITE_CORRUPT':
      return `; ${place} is damaged: restore a backup`;
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_PERM':
    case 'EACCES':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EROFS':
      return (
        `; ${place} cannot be opened: its folder has to be there, and both have to be readable ` +
        'and writable for this user'
      );
    case 'SQLITE_READONLY':
      return `; ${place} or its folder cannot be written by this user`;
    case 'SQLITE_FULL':
      return `; the disk under ${place} is full`;
    case 'SQLITE_IOERR':
      return `; the disk under ${place} failed; it must not be on a network file system`;
    default:
      break;
  }
  if (/no such (table|column)|has no column/.test(message))
    return '; the tables are missing or not up to date: run migrate()';
  if (message.includes('within a transaction'))
    return '; give the store a database object of its own';
  return '';
}

function messageOf(error: unknown): string {
  return isError(error) ? maskSecrets(error.message) : 'the driver gave no reason';
}

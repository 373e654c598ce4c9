import { errorsWithin, isError } from '../../lib/errors.js';
import { maskSecrets } from '../../lib/mask.js';
import { NoAnswerError } from '../../lib/within.js';

/** Properties that may be copied from a driver's error: names and codes, never values of rows. */
const safeProperties = [
  'code',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
] as const;

/** The SQLSTATE of an error from the server, or the system's code of an earlier one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Whether a failed statement had a text that the database's encoding cannot hold, as LATIN1 lacks
 * `€`.
 */
export const isUntranslatable = (error: unknown): boolean =>
  codeOf((error as { cause?: unknown }).cause) === '22P05';

/**
 * Whether one of many rows may have made a statement fail: cardinality_violation, data_exception,
 * raise_exception, data_corrupted, index_corrupted.
 */
export const mayBeOneRecord = (error: unknown): boolean =>
  /^(?:21|22|P0)...$|^XX00[12]$/.test(codeOf((error as { cause?: unknown }).cause) ?? '');

/** Whether the server answered with an error and the connection is still good. */
export function isStatementError(error: unknown): boolean {
  return (error as { severity?: unknown } | null | undefined)?.severity === 'ERROR';
}

/**
 * The error with which a failed statement rejects. It is a new one: a driver's error holds the
 * rows that a constraint refused, digests included, and some clients put every parameter into the
 * message. Its `cause` has the `code`: an SQLSTATE, a code of the system, or `ETIMEDOUT` after a
 * timeout.
 */
export function toSafeError(action: string, error: unknown): Error {
  const message = messageOf(error);
  const hint = hintFor(codeOf(error), message);
  return new Error(`PostgresKeyStore: ${action} failed: ${message}${hint}`, {
    cause: withoutDigests(error),
  });
}

const nulHint = '; PostgreSQL cannot store a NUL character or half of a surrogate pair';

function hintFor(code: string | undefined, message: string): string {
  switch (code) {
    case '42P01': // undefined_table
    case '42703': // undefined_column
    case '42883': // undefined_function
    case '3F000': // invalid_schema_name
      return (
        '; the tables are missing or not up to date: run migrate(), or adopt() for a table of ' +
        'plaintext keys'
      );
    case '22021': // character_not_in_repertoire
      return message.includes('0x00') ? nulHint : '';
    case '22P05': // untranslatable_character
      // For a character that the encoding lacks, the server's own words say everything.
      return message.includes('Unicode') ? nulHint : '';
    case '2BP01': // dependent_objects_still_exist
      return (
        '; a view, function or policy of your own uses the table: drop it first and create it ' +
        'again afterwards'
      );
    default:
      return '';
  }
}

function withoutDigests(error: unknown): Error {
  const copy = new Error(messageOf(error));
  if (isError(error) && error.stack) copy.stack = maskSecrets(error.stack);
  for (const name of safeProperties) {
    const value = (error as Record<string, unknown> | null | undefined)?.[name];
    if (typeof value === 'string') Object.assign(copy, { [name]: maskSecrets(value) });
  }
  // The code that the system uses for a connection, so that callers need to know only one.
  if (error instanceof NoAnswerError) Object.assign(copy, { code: 'ETIMEDOUT' });
  return copy;
}

function messageOf(error: unknown): string {
  if (!isError(error)) return 'the client gave no reason';
  return error.message === ''
    ? errorsWithin(error).map(messageOf).join('; ')
    : maskSecrets(error.message);
}

import { BrokenRecordError } from '../../key-store-error.js';
import { assertNothingHidden, hiddenRow, isHiddenRow } from '../hidden-rows.js';
import { textsParameter } from '../parameters.js';
import { mayBeOneRecord } from '../safe-error.js';
import type { Row, Executor } from '../database.js';
import type { Answer } from './look-up-queue.js';
import { absentColumns, columnCount, columns, readColumns } from './record-columns.js';

/**
 * Looks up any number of digests in one statement.
 *
 * @throws {BrokenRecordError} if one record may have made the statement fail.
 */
export async function findByDigests(
  executor: Executor,
  digests: readonly string[],
): Promise<Answer> {
  const { names } = executor;
  // The server copies each level of a statement several times before it runs, which takes longer
  // than finding the rows. So there is one level around the union, and none within.
  const text = `select found.* from ${absentColumns}, lateral (
      select ${columns(names)}, null as is_hidden
      from ${names.keys} k where k.digest = any($1::text::text[])
      union all ${hiddenRow(names, columnCount)}
    ) found`;
  const rows = await executor
    .query('findByDigest', { text, values: [textsParameter(digests)] })
    .catch((error: unknown) => {
      throw mayBeOneRecord(error) ? asBrokenRecord(error as Error) : error;
    });
  const found = new Map<string | null | undefined, Row>();
  for (const row of rows) if (!isHiddenRow(row)) found.set(row['digest'], row);
  const mayBeHidden = rows.some(isHiddenRow) && digests.some((each) => !found.has(each));
  const fault = mayBeHidden ? await whyMaybeHidden(executor) : undefined;
  return (digest) => {
    const row = found.get(digest);
    if (!row && fault) throw fault;
    return row && readFound(row);
  };
}

/** Why a missing key cannot be called absent. Records that were found are right all the same. */
const whyMaybeHidden = (executor: Executor): Promise<Error | undefined> =>
  assertNothingHidden(executor).then(
    () => undefined,
    (error: unknown) => error as Error,
  );

function readFound(row: Row) {
  try {
    return readColumns(row);
  } catch {
    // The parser's own message may quote the row.
    throw new BrokenRecordError('PostgresKeyStore: findByDigest failed: a record cannot be read');
  }
}

const asBrokenRecord = ({ message, cause }: Error) => new BrokenRecordError(message, { cause });

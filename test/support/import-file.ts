import { checkEntries } from '../../src/cli/import/check-entries.js';
import { readEntries, type FileFormat } from '../../src/cli/import/read-entries.js';
import { Failure } from '../../src/cli/failure.js';
import { decodeText } from '../../src/cli/values/decode-text.js';

export interface ReadFile {
  /** What would be taken over; nothing if anything was said. */
  readonly taken: readonly {
    user: string;
    key?: string | undefined;
    expiresAt?: Date | undefined;
  }[];
  /** All that is said of the file, a line each. */
  readonly said: readonly string[];
}

/** What `import --file` makes of a file before it asks the database. */
export function readFile(file: string | Buffer, format?: FileFormat): ReadFile {
  try {
    const text = decodeText(Buffer.from(file as string), 'keys.csv');
    const { good, problems } = checkEntries(readEntries(text, format));
    const said = problems.map(({ place, text: why }) => `${place} ${why}`);
    return { taken: said.length > 0 ? [] : good.map(({ options }) => options), said };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { taken: [], said: [error.message] };
  }
}

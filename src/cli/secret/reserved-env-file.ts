import { decodeEnv } from '../env-file/decode.js';
import { Failure } from '../failure.js';
import { addEntry, type EnvPlace } from './env-entry.js';
import { reserveFile, type ReplacingFile, type ReservedFile } from './reserved-file.js';

/** Stands for the key while nothing is made yet, to check whether it can be added. */
const placeholder = 'x'.repeat(64);

/**
 * Reserves room for one more key in a `.env`, or a new file if there is none. All else in it
 * stays. It checks before the key is made whether this is possible.
 *
 * @throws {Failure} if it is not, or would replace a key
 */
export function reserveEnvFile(place: EnvPlace): ReservedFile {
  const file = reserveFile(place.file, { mayReplace: true, keepsOwner: true });
  const { isNew } = file;
  const rollback = () => file.rollback();
  try {
    const before = isNew ? '' : readText(file, place);
    addEntry(before, place, placeholder);
    const commit = (line: string) => {
      if (!isNew && readText(file, place) !== before) {
        rollback();
        throw new Failure(`${place.file} was changed by somebody else meanwhile`);
      }
      file.commit(addEntry(before, place, line.trimEnd()));
    };
    return { isNew, commit, rollback };
  } catch (error) {
    rollback();
    throw error;
  }
}

function readText(reserved: ReplacingFile, { file }: EnvPlace): string {
  let bytes: Buffer;
  try {
    bytes = reserved.read();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(`${file} cannot be added to: ${code}`, { cause: error });
  }
  // Its bytes could not be written back unchanged.
  const { text, wrong } = decodeEnv(bytes, file);
  if (wrong)
    throw new Failure(
      `${file} cannot be added to: it is ${wrong.what}; to mend it: ${wrong.remedy}`,
    );
  return text;
}

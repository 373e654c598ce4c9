import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { Failure } from '../failure.js';

/** A file with room for a secret that is yet to be made. */
export interface ReservedFile {
  /** Whether there was no such file before. */
  readonly isNew: boolean;
  /** Writes the secret and nothing else, or throws and leaves everything as before. */
  commit(text: string): void;
  /** Leaves everything as before. Does nothing after `commit`. */
  rollback(): void;
}

/** The same, for a file that may be there already. */
export interface ReplacingFile extends ReservedFile {
  /** The bytes of the file that is to be replaced, or throws if another one has its name now. */
  read(): Buffer;
}

interface Reservation {
  readonly mayReplace: boolean;
  /**
   * Whether a replacing file keeps the owner of the old one. Default `false`: it belongs to the
   * user who runs this.
   */
  readonly keepsOwner?: boolean;
}

/** Longer than any secret with its line. */
const room = 4_096;

/**
 * Creates a file that only its user can read, and checks that it can be written before a secret
 * is made. A file that is to be replaced stays until the new one is complete.
 *
 * @throws {Failure} if it cannot be written, or exists and may not be replaced
 */
export function reserveFile(
  path: string,
  { mayReplace, keepsOwner = false }: Reservation,
): ReplacingFile {
  const found = attempt(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (found && !mayReplace)
    throw new Failure(`${path} exists already: give another name, or --force to replace it`);
  // Nobody means to replace a device or a link, but an administrator could.
  if (found && !found.isFile()) throw new Failure(`${path} is not a regular file`);
  const place = found ? `${path}.${randomBytes(6).toString('hex')}` : path;
  const file = attempt(path, () => openSync(place, 'wx', 0o600));
  let isOpen = true;
  const rollback = () => {
    if (!isOpen) return;
    isOpen = false;
    closeSync(file);
    rmSync(place, { force: true });
  };
  const writing = (work: () => void) =>
    attempt(path, () => {
      try {
        work();
      } catch (error) {
        rollback();
        throw error;
      }
    });
  const write = (text: string) => {
    if (writeSync(file, text, 0) < Buffer.byteLength(text)) throw new Error('written in part');
  };

  writing(() => {
    // An administrator who adds to an application's file must not take it away from the
    // application.
    const user = process.geteuid?.();
    if (found && keepsOwner && user !== undefined && found.uid !== user)
      fchownSync(file, found.uid, found.gid);
    // A full disk is noticed now.
    write('\n'.repeat(room));
    fsyncSync(file);
  });
  return {
    isNew: found === undefined,
    // Who may write in the folder could put a link there meanwhile, to a file of the administrator.
    read: () => {
      const there = openSync(path, 'r');
      try {
        const { dev, ino } = fstatSync(there);
        if (dev !== found?.dev || ino !== found.ino)
          throw new Failure(`${path} was changed by somebody else meanwhile`);
        return readFileSync(there);
      } finally {
        closeSync(there);
      }
    },
    commit: (text) =>
      writing(() => {
        write(text);
        ftruncateSync(file, Buffer.byteLength(text));
        fsyncSync(file);
        if (place !== path) renameSync(place, path);
        isOpen = false;
        closeSync(file);
      }),
    rollback,
  };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'the folder does not exist',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'you may not write there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
};

function attempt<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new Failure(`${path} cannot be written: ${reasons[code] ?? code}`, { cause: error });
  }
}

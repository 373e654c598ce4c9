import { buildSync } from 'esbuild';
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const compiledFiles = new Map<string, string>();

/**
 * The JavaScript file of a program of ours, with all that it imports from `src`. To start the
 * program through tsx instead would take a second longer each time.
 * @param path of the TypeScript file, relative to the project
 */
export function compiled(path: string): string {
  let file = compiledFiles.get(path);
  if (file === undefined) {
    // In the project, so that it finds the installed packages, and this one by its name.
    file = join(root, 'coverage/programs', path.replace(/\.ts$/, '.js'));
    writeAtOnce(file, compile(join(root, path)));
    compiledFiles.set(path, file);
  }
  return file;
}

function compile(path: string): Uint8Array {
  const { outputFiles } = buildSync({
    entryPoints: [path],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.contents;
}

/** Another worker may be starting the program from the same file. */
function writeAtOnce(file: string, contents: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, contents);
  renameSync(draft, file);
}

// Builds the package: types by the compiler, programs by the bundler. What several entries share is
// in files of its own, so a class exists once in each format. The entries import nothing but Node's
// own modules and each other. The command line is bundled by itself, with the packages that it
// uses.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { rolldown } from 'rolldown';
import { embedAssets } from './embed-web-assets.js';
import { writeLicenses } from './licenses.js';

const entries = ['index', 'postgres', 'sqlite', 'web', 'testing'];

// Loaded from where the command runs, because which of them is installed is the user's affair.
const external = ['pg', 'libsql', 'better-sqlite3', /^node:/];

const declare = (project) =>
  execFileSync('node_modules/.bin/tsc', ['--project', project, '--emitDeclarationOnly'], {
    stdio: 'inherit',
  });

/** Bundles programs into a folder, and resolves to the files of which they were made. */
async function bundle(names, format, { folder, shared }) {
  const build = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    platform: 'node',
    external,
  });
  const { output } = await build.write({
    dir: folder,
    format,
    entryFileNames: '[name].js',
    chunkFileNames: `${shared}/[name].js`,
    codeSplitting: {
      // Two files, so that a bundler leaves out the whole manager for whoever uses the guard alone.
      groups: [
        { name: 'guard', test: /\/src\/(guard|http|keys|lib|sources)\//, minShareCount: 2 },
        { name: 'manager', test: /\/src\/(manager|stores)\//, minShareCount: 2 },
      ],
    },
    exports: 'named',
  });
  await build.close();
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

// `.ci/run` says that the same source has just been built.
if (process.env.SKIP_BUILD === 'true') process.exit();

embedAssets();
rmSync('dist', { recursive: true, force: true });
declare('tsconfig.build.json');
declare('tsconfig.cjs.json');
await bundle(entries, 'esm', { folder: 'dist/esm', shared: 'shared' });
await bundle(entries, 'cjs', { folder: 'dist/cjs', shared: 'shared' });
// The package is a module package; this makes Node read the CommonJS half as CommonJS.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
const bundled = await bundle(['cli'], 'esm', { folder: 'dist/esm', shared: 'cli' });
chmodSync('dist/esm/cli.js', 0o755);
writeLicenses(bundled, 'dist/THIRD-PARTY-LICENSES.md');

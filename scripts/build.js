// Builds the package twice with the compiler alone, after the pages' files: ECMAScript modules and CommonJS, each with its own types.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { embedAssets } from './embed-web-assets.js';

const compile = (project) =>
  execFileSync('node_modules/.bin/tsc', ['--project', project], { stdio: 'inherit' });

embedAssets();
rmSync('dist', { recursive: true, force: true });
compile('tsconfig.build.json');
compile('tsconfig.cjs.json');
// The package is a module package; this makes Node read the CommonJS half as CommonJS.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
chmodSync('dist/esm/cli.js', 0o755);

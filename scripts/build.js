// Builds the package twice with the compiler alone: ECMAScript modules and CommonJS, each with its own types.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

const compile = (...options) =>
  execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.build.json', ...options], {
    stdio: 'inherit',
  });

rmSync('dist', { recursive: true, force: true });
compile('--outDir', 'dist/esm');
const commonjs = '--module commonjs --moduleResolution bundler --verbatimModuleSyntax false';
compile('--outDir', 'dist/cjs', ...commonjs.split(' '));
mkdirSync('dist/cjs', { recursive: true });
// The package is a module package; this makes Node read the CommonJS half as CommonJS.
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');

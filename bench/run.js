// Runs all benchmarks and writes the report: `npm run bench`, or `npm run bench -- --quick` to see whether everything works.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { embedAssets } from '../scripts/embed-web-assets.js';
import { full, quick } from './settings.js';

const allParts = ['guard', 'peers', 'http', 'postgres', 'cold', 'growth'];
const folder = import.meta.dirname;
const root = join(folder, '..');

const { values: options } = parseArgs({
  options: {
    /** A few seconds for each part: its numbers mean nothing, and it says so. */
    quick: { type: 'boolean', default: false },
    /** Parts to run, by comma; what others have found before stays. */
    only: { type: 'string', default: allParts.join() },
    /** Writes the report anew from what was measured before. */
    report: { type: 'boolean', default: false },
  },
});
// Figures that mean nothing are kept where nobody commits them.
const results = join(folder, options.quick ? 'dist/quick' : 'results');
const file = join(results, 'measurements.json');
const settings = options.quick ? quick : full;
const parts = new Set(options.only.split(','));

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: 'inherit' });
const progress = (text) => console.log(`${new Date().toTimeString().slice(0, 8)} ${text}`);

async function measureAll() {
  install(folder);
  install(join(root, 'tools/node-matrix'));
  embedAssets();
  run(
    join(root, 'node_modules/.bin/tsc'),
    ['--project', 'tsconfig.build.json', '--outDir', 'bench/dist'],
    root,
  );

  const found =
    existsSync(file) && parts.size < allParts.length ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const measured = { ...found, machine: describeMachine(), settings };
  const places = nodes();
  measured.nodes = places.map(({ version }) => version);
  const { measureParts } = await import('./suites/all.js');
  await measureParts(measured, parts, places, settings, progress, () => save(measured));
  await writeReport(measured);
}

function install(where) {
  if (!existsSync(join(where, 'node_modules'))) run('npm', ['ci'], where);
}

/** This Node and, where it could be installed, the newer one; each on a core of its own where two run at a time. */
function nodes() {
  const newer = join(root, 'tools/node-matrix/node_modules/node-24/bin/node');
  return [process.execPath, newer]
    .filter((node) => existsSync(node))
    .map((node, index) => ({
      node,
      version: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1),
      core: cpus().length > 1 ? index % 2 : undefined,
    }));
}

const describeMachine = () => ({
  cpu: `${cpus().length} × ${cpus()[0].model.trim()}`,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  at: new Date().toISOString().slice(0, 10),
});

function save(measured) {
  mkdirSync(results, { recursive: true });
  writeFileSync(file, `${JSON.stringify(measured, undefined, 1)}\n`);
}

async function writeReport(measured) {
  const { renderReport } = await import('./report/report.js');
  const { renderPlots } = await import('./report/plots.js');
  const { format } = await import('prettier');
  const style = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'));
  const write = async (name, text, parser) =>
    writeFileSync(join(results, name), await format(text, { ...style, parser }));
  await write('report.md', renderReport(measured, { isQuick: options.quick }), 'markdown');
  await write('measurements.json', JSON.stringify(measured), 'json');
  for (const [name, svg] of Object.entries(renderPlots(measured)))
    writeFileSync(join(results, name), svg);
  progress(`written: ${join(results, 'report.md')}`);
}

if (options.report) await writeReport(JSON.parse(readFileSync(file, 'utf8')));
else await measureAll();

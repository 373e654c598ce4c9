// Runs all benchmarks and writes the report: `npm run bench`, or `npm run bench -- --quick` to see
// whether everything works.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { settings } from './settings.js';

const folder = import.meta.dirname;
const root = join(folder, '..');

const { values: options } = parseArgs({
  options: {
    /** A few seconds for each part: its numbers mean nothing, and it says so. */
    quick: { type: 'boolean', default: false },
    /** Parts to run, by comma; what others have found before stays. */
    only: { type: 'string' },
    /** Writes the report anew from what was measured before. */
    report: { type: 'boolean', default: false },
  },
});
// Figures that mean nothing are kept where nobody commits them.
const results = join(folder, options.quick ? 'dist/quick' : 'results');
const file = join(results, 'measurements.json');
const sizes = options.quick ? settings.quick : settings.full;
/** The Nodes that are measured, of those in tools/node-matrix; the goals are for one of them. */
const aliases = ['node-20', 'node-24', 'node-26'];
const judgedMajor = 24;

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: 'inherit' });
const progress = (text) => console.log(`${new Date().toTimeString().slice(0, 8)} ${text}`);

async function measureAll() {
  install(folder);
  install(join(root, 'tools/node-matrix'));
  run('npm', ['run', '--silent', 'build'], root);
  // Apart from the package's own `dist`, which a test run may take away.
  rmSync(join(folder, 'dist/package'), { recursive: true, force: true });
  cpSync(join(root, 'dist/esm'), join(folder, 'dist/package'), { recursive: true });

  const { allParts, measureParts } = await import('./suites/all.js');
  const parts = new Set(options.only?.split(',') ?? allParts);
  const unknown = [...parts].filter((part) => !allParts.includes(part));
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join()}; there are ${allParts.join()}`);
  const found = options.only && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const measured = { ...found, machine: describeMachine(), settings: sizes };
  const places = nodes();
  measured.nodes = places.map(({ version }) => version);
  measured.judged = places[0].version;
  await measureParts(measured, parts, places, progress, () => save(measured));
  await writeReport(measured);
}

function install(where) {
  if (!existsSync(join(where, 'node_modules'))) run('npm', ['ci'], where);
}

/**
 * The Nodes of the matrix where they could be installed, else this one; the judged one first, on a
 * core of its own.
 */
function nodes() {
  const matrix = join(root, 'tools/node-matrix/node_modules');
  const installed = aliases.map((alias) => join(matrix, alias, 'bin/node')).filter(existsSync);
  const all = installed.length > 0 ? installed : [process.execPath];
  return all.map(describeNode).toSorted((a, b) => Number(b.isJudged) - Number(a.isJudged));
}

function describeNode(node) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  const isJudged = Number.parseInt(version) === judgedMajor;
  return {
    node,
    version,
    isJudged,
    core: cpus().length > 1 ? Number(isJudged) : undefined,
    settings: isJudged ? sizes.judged : sizes.others,
  };
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

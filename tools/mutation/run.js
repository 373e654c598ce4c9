// Changes the source piece by piece, room by room, and tells which changes no test of the room
// noticed: `npm run mutation`, all rooms; `-- guard`, one room; `-- guard src/guard/guard.ts`, some
// files of it.
import { relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { rooms } from './decides-admission.js';
import config from './stryker.config.js';

/** In percent of the changes. */
const least = 95;

const [only, ...someFiles] = process.argv.slice(2);
const chosen = rooms.filter(({ name }) => only === undefined || name === only);
if (chosen.length === 0)
  throw new Error(`no room "${only}"; there are ${rooms.map(({ name }) => name).join(', ')}`);
const results = [];
for (const { name, files, tests } of chosen) {
  // For the processes that run the tests.
  process.env.MUTATION_TESTS = tests.join(' ');
  const report = (type) => ({ fileName: `coverage/mutation/${name}.${type}` });
  const stryker = new Stryker({
    ...config,
    mutate: someFiles.length > 0 ? someFiles : files,
    htmlReporter: report('html'),
    jsonReporter: report('json'),
  });
  results.push(...(await stryker.runMutationTest()));
}

const isNoticed = ({ status }) => status === 'Killed' || status === 'Timeout';
const isMissed = ({ status }) => status === 'Survived' || status === 'NoCoverage';
const scores = new Map();
// The others could not be compiled or run.
for (const result of results.filter((each) => isNoticed(each) || isMissed(each))) {
  const file = relative('src', result.fileName).replace(/\.ts$/, '');
  const { noticed, all } = scores.get(file) ?? { noticed: 0, all: 0 };
  scores.set(file, { noticed: noticed + (isNoticed(result) ? 1 : 0), all: all + 1 });
}
const sum = (field) => [...scores.values()].reduce((total, row) => total + row[field], 0);
const share = (100 * sum('noticed')) / sum('all');
console.log('\n| file | noticed |\n| ---- | ------- |');
for (const [file, { noticed, all }] of [...scores].sort())
  console.log(`| \`${file}\` | ${noticed} of ${all} |`);
console.log(`\n${sum('noticed')} of ${sum('all')} changes were noticed, ${share.toFixed(1)} %.`);
const timeouts = results.filter(({ status }) => status === 'Timeout').length;
if (timeouts > 0) console.log(`${timeouts} of them by a test that did not end.`);
process.exitCode = share >= least ? 0 : 1;

// Prints the outcome of the test runs as one plain line, for machines that read logs.
import { readFileSync } from 'node:fs';

const runs = ['tests', 'system-tests'].map((name) =>
  JSON.parse(readFileSync(`coverage/${name}.json`, 'utf8')),
);
const sum = (field) => runs.reduce((total, run) => total + run[field], 0);
const failed = sum('numFailedTests');
console.log(`${sum('numPassedTests')} passed, ${failed} failed, ${sum('numPendingTests')} skipped`);
process.exitCode = failed === 0 && runs.every(({ numPassedTests }) => numPassedTests > 0) ? 0 : 1;

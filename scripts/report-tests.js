// Prints the outcome of the test run as one plain line, for machines that read logs.
import { readFileSync } from 'node:fs';

const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
  readFileSync('coverage/tests.json', 'utf8'),
);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
process.exitCode = numFailedTests === 0 && numPassedTests > 0 ? 0 : 1;

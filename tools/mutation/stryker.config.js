import { decidesAdmission } from './decides-admission.js';

// Changes it one piece after another; a test has to notice each change.
export default {
  mutate: decidesAdmission,
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'tools/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  ignorePatterns: [
    'bench',
    'coverage',
    'dist',
    'examples',
    'scripts',
    'tools/*',
    '!tools/mutation',
  ],
  // Stryker would rewrite it with a JavaScript API that the compiler no longer has; no test needs
  // that.
  tsconfigFile: 'none',
  concurrency: 2,
  // A busy machine must not count as a change that was noticed.
  timeoutMS: 60_000,
  thresholds: { high: 100, low: 95, break: 95 },
  incremental: true,
  incrementalFile: 'coverage/mutation/incremental.json',
  tempDirName: 'coverage/mutation/sandbox',
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  htmlReporter: { fileName: 'coverage/mutation/report.html' },
  jsonReporter: { fileName: 'coverage/mutation/report.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
};

// What is the same for every room; run.js adds the files to change.
export default {
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
  tempDirName: 'coverage/mutation/sandbox',
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  clearTextReporter: {
    allowColor: false,
    logTests: false,
    reportTests: false,
    reportScoreTable: false,
  },
};

import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole programs and a browser take longer than all the rest together: vitest.system.config.ts has them.
    exclude: [...configDefaults.exclude, 'test/{browser,cli,examples,package}/**'],
    globalSetup: ['test/support/postgres-setup.ts'],
    // Most of the time is spent waiting for servers and processes: more workers than the two cores of a small machine have work.
    maxWorkers: 3,
    // Real servers and processes: generous against noisy machines, short enough to name a hang.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', ['json', { outputFile: 'coverage/tests.json' }]],
    coverage: { include: ['src/**'], reporter: ['text', 'lcov'] },
  },
});

import { defineConfig } from 'vitest/config';
import { options, projects, systemTests } from './vitest.config.js';

/**
 * The command line, the example and the recipes as whole programs, the pages in a real browser, the
 * packed package where others would install it.
 */
export default defineConfig({
  test: {
    ...options,
    projects: projects(systemTests),
    // Half of the time is spent waiting for processes and servers.
    maxWorkers: 3,
    testTimeout: 90_000,
    hookTimeout: 120_000,
    reporters: ['default', ['json', { outputFile: 'coverage/system-tests.json' }]],
  },
});

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
    // A browser and whole processes fill two cores.
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 120_000,
    reporters: ['default', ['json', { outputFile: 'coverage/system-tests.json' }]],
  },
});

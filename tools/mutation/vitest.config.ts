import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { admissionTests, decidesAdmission } from './decides-admission.js';

/**
 * What noticed the change before this one is likely to notice this one too; after that, what costs
 * least.
 */
class LikelyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const results = this.ctx.cache.getFileTestResults(
        `${project.name}:${relative(this.ctx.config.root, moduleId)}`,
      );
      return results?.failed ? -1 : (results?.duration ?? 0);
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  // Not in node_modules, which the package's own tests use at the same time.
  cacheDir: 'coverage/mutation/vite',
  test: {
    // They need neither PostgreSQL nor a browser nor another process, and none is random.
    include: process.env['MUTATION_TESTS']?.split(' ') ?? admissionTests,
    // They need a log that nothing was written to yet, and that is one for all files here.
    exclude: ['test/lib/other-realms.test.ts', 'test/manager/cache/write-warning.test.ts'],
    // The guard is the same code under both versions.
    env: { TEST_EXPRESS: 'Express 5' },
    sequence: { sequencer: LikelyFirst },
    // To load everything anew for each file would take most of the time.
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    testTimeout: 30_000,
    coverage: {
      include: decidesAdmission,
      reporter: ['text'],
      reportsDirectory: 'coverage/admission',
      thresholds: { branches: 100 },
    },
  },
});

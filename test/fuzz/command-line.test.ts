import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProgram } from '../../src/cli/main.js';
import { generateApiKey } from '../../src/index.js';
import { cli } from '../support/cli.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';

const { key } = generateApiKey();
const program = createProgram();
const commands = program.commands.map((command) => command.name());
const options = [program, ...program.commands].flatMap((command) =>
  command.options.flatMap(({ long }) => long ?? []),
);
const values = [
  'alice',
  '',
  ' ',
  '1',
  '-1',
  '1e9',
  'NaN',
  '30d',
  '2030-01-01',
  'a,b',
  "a'b",
  'é',
  '\u202e',
  '\u0007',
  '$(x)',
  '{}',
  '[]',
];

const word = fc.oneof(
  fc.constantFrom(...new Set(options), '--help', '--', '-'),
  fc.constantFrom(...values),
  // No slash: what is named as a file stays in the folder of the test.
  fc.string({ maxLength: 20 }).filter((text) => !/[/\0]/.test(text)),
  fc.constantFrom(key, `--database=postgres://me:${key}@127.0.0.1:1/x`, 'http://127.0.0.1:1/hello'),
);
const commandLine = fc
  .tuple(fc.constantFrom(...commands), fc.array(word, { maxLength: 5 }))
  .map(([command, rest]) => [command].concat(rest));

describe('any words on the command line', () => {
  it(
    'without a database -> done, failed or misused, in words of ours, and no key that was among them is shown',
    async () => {
      const cwd = mkdtempSync(join(tmpdir(), 'require-api-key-fuzz-'));
      onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
      await fc.assert(
        fc.asyncProperty(fc.array(commandLine, { minLength: 4, maxLength: 4 }), async (lines) => {
          for (const { code, stdout, stderr } of await Promise.all(
            lines.map((args) => cli(args, { cwd })),
          )) {
            expect([0, 1, 2]).toContain(code);
            expect(stdout + stderr).not.toContain(key);
            expect(stderr).not.toMatch(/^(TypeError|ReferenceError|RangeError)|unhandled/im);
            // What is found, as by doctor, is an answer.
            if (code !== 0) expect(code === 2 ? stderr : stdout + stderr).toMatch(/\S/);
          }
        }),
        fuzz(8, 41),
      );
    },
    fuzzTimeoutMs,
  );
});

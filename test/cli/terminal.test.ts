import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { folder, startTerminal, terminal } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const env = { DATABASE_URL: database.url };
const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: database.pool() }) });
await new PostgresKeyStore({ client: database.pool() }).migrate();

const canOpenTerminal = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!canOpenTerminal)('on a terminal', () => {
  it('a new key -> shown, with a warning; into a file -> no warning', async () => {
    const cwd = folder();
    const [shown, kept] = await Promise.all([
      terminal('$CLI generate'),
      terminal('umask 077; $CLI generate > new.key', { cwd }),
    ]);
    expect(shown.stdout).toMatch(
      /^key_\w{48}\r\nWarning: the key is shown on your terminal, which may be recorded; /,
    );
    expect(kept.stdout).not.toContain('Warning');
  });

  it('a list -> no line is wider than the terminal, and none of what identifies a key is cut', async () => {
    const { record } = await keys.create({
      user: 'alice.of.the.accounting.department@partner.example',
      name: 'the key of the nightly job that nobody dares to touch',
      scopes: ['audio:read', 'audio:write', 'jobs:run'],
      expiresAt: new Date('2099-01-31T00:00:00Z'),
    });
    for (const columns of [60, 80, 120]) {
      const { stdout } = await terminal('$CLI list', { env }, columns);
      const lines = stdout.split('\r\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(stdout).toContain(record.keyId);
      expect(stdout).toContain('STATUS');
      expect(stdout.includes('CREATED')).toBe(columns === 120);
    }
  });

  it('long work -> a bar on the terminal, and the outcome', async () => {
    const key = (n: number) => `alice:${generateApiKey().key.slice(0, 40)}${n}`;
    const cwd = folder({ 'keys.txt': Array.from({ length: 40 }, (_, n) => key(n)).join('\n') });
    const [imported, pruned] = await Promise.all([
      terminal('$CLI import --file keys.txt', { cwd, env }),
      terminal('$CLI prune --older-than 1d', { env }),
    ]);
    expect(imported.stdout).toMatch(/importing .*\| 0\/40/);
    expect(imported.stdout).toMatch(/Took over 40 keys; 0 already there.\r\n/);
    expect(pruned.stdout).toMatch(/pruning .*\| 0\/7/);
  });

  it('a key that is typed -> not shown; Ctrl-C in place of one -> exit 130', async () => {
    const { key } = generateApiKey();
    const typed = startTerminal('$CLI import bob', { env });
    await typed.prompted('Key (not shown): ');
    typed.write(`x\u007f${key}\r`);
    const { code, stdout } = await typed.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Took over a key of bob as ${key.slice(0, 14)}`));
    expect(stdout).not.toContain(key);

    const stopped = startTerminal('$CLI import bob', { env });
    await stopped.prompted('Key (not shown): ');
    await delay(50);
    stopped.write('\u0003');
    expect(await stopped.finished).toMatchObject({ code: 130 });
  });
});

import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { cliFile, startProcess, type Finished } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => void server.close(done));
  return port;
}

/** What the document says to save and to paste, in its order. */
function readWalkThrough(replace: (text: string) => string) {
  const text = readFileSync('docs/sqlite.md', 'utf8');
  const [, section] = /^## From an empty folder.*?$([^]*?)^## /m.exec(text)!;
  const blocks = (language: string) =>
    [...section!.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(
      ([, code]) => replace(code!),
    );
  return { scripts: blocks('sh'), code: blocks('js') };
}

// Here the package finds itself by its own name.
function createFolder(): string {
  mkdirSync('coverage', { recursive: true });
  const folder = resolve(mkdtempSync('coverage/newcomer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('the walk-through of docs/sqlite.md, pasted -> a desk, a key by claim link, its last use, its end, and all of it in PostgreSQL', async () => {
  const cwd = createFolder();
  const port = await freePort();
  const { scripts, code } = readWalkThrough((text) =>
    text
      .replaceAll('3000', String(port))
      .replaceAll('postgres://user:password@localhost/app', database.url),
  );
  const [install, start, hand, revoke, move] = scripts as [string, string, string, string, string];
  expect([install, start]).toEqual([expect.stringContaining('npm install'), 'node app.mjs\n']);

  // The package is not in the registry yet. Everything else runs as it stands.
  mkdirSync(join(cwd, 'bin'));
  const programs = { npm: 'exit 0', npx: `shift; exec "${process.execPath}" "${cliFile}" "$@"` };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(cwd, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(cwd, 'bin', name), 0o755);
  }
  const PATH = `${join(cwd, 'bin')}:${process.env['PATH']}`;
  const paste = (script: string, env: Record<string, string> = {}): Promise<Finished> =>
    startProcess('bash', ['-e', '-c', script], { cwd, env: { PATH, ...env } }).finished;
  const address = `http://localhost:${port}`;
  const serve = async (app: string, env: Record<string, string> = {}) => {
    writeFileSync(join(cwd, 'app.mjs'), app);
    const running = startProcess(process.execPath, ['app.mjs'], { cwd, env });
    await vi.waitFor(() => fetch(address), { timeout: 30_000, interval: 100 });
    return async () => {
      running.child.kill('SIGTERM');
      const { code: exitCode, stderr } = await running.finished;
      expect([exitCode, stderr]).toEqual([0, '']);
    };
  };
  const ask = async (path: string, key: string) =>
    (await fetch(address + path, { headers: { 'X-API-Key': key, Connection: 'close' } })).status;

  const stop = await serve(code[0]!);
  const handed = await paste(hand);
  expect(handed.code, handed.stderr).toBe(0);
  const [claimAddress, token] = handed.stdout.trim().split('#');
  const claimed = await fetch(claimAddress!, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Connection: 'close' },
    body: JSON.stringify({ token }),
  });
  const { key } = (await claimed.json()) as { key: string };
  expect(await ask('/hello', key)).toBe(200);
  const operator = readFileSync(join(cwd, 'bob.key'), 'utf8').trim();
  expect(await ask('/keys/api/keys', operator)).toBe(200);
  await stop();

  const ended = await paste(revoke, { DATABASE_URL: 'file:keys.db' });
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout).toMatch(/alice .*active +\d{4}-\S+ \S+ UTC +\d{4}-/);

  const moved = await paste(move);
  expect(moved.code, moved.stderr).toBe(0);
  expect(moved.stderr).toContain('Copied 2 keys');
  const onPostgres = code[0]!
    .replace(/^const store = .*\n/m, () => code[1]!)
    .replace('store.close()', 'client.end()');
  const stopAgain = await serve(onPostgres, { DATABASE_URL: database.url });
  expect(await ask('/hello', key)).toBe(401);
  expect(await ask('/keys/api/keys', operator)).toBe(200);
  await stopAgain();
});

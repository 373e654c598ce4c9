import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { compiled } from '../support/compiled.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const client = database.pool();
const store = new PostgresKeyStore({ client });
const keys = new ApiKeyManager({ store });

beforeAll(() => store.migrate());

/** A request on a connection of its own, as text: status line, headers, body. */
function get(port: number, path: string, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, path, host: '127.0.0.1', agent: false, headers: { 'X-API-Key': key } },
      (response) => {
        let body = '';
        response.on('data', (data) => (body += String(data)));
        response.on('end', () =>
          resolve(`${response.statusCode} ${response.rawHeaders.join(' ')} ${body}`),
        );
      },
    );
    sent.on('error', reject).end();
  });
}

/** Whatever of a key must not be seen: all of it but its public id, and its digest. */
const secretsOf = (key: string) => {
  const digest = digestApiKey(key).slice(7);
  return [
    key.slice(14, 46),
    key.slice(20, 40),
    digest,
    digest.slice(0, 32),
    Buffer.from(key).toString('base64').slice(20, 60),
  ];
};

describe('planted keys', () => {
  it('every answer, event, inspection, log and the memory of a server -> none of them holds a key or a digest', async () => {
    const [good, revoked, expired] = await Promise.all([
      keys.create({ user: 'alice' }),
      keys.create({ user: 'alice' }),
      keys.create({ user: 'alice', expiresAt: new Date() }),
    ]);
    await keys.revoke(revoked.record.keyId);
    const rotated = await keys.create({ user: 'alice' });
    await keys.rotate(rotated.record.keyId, { overlapMs: 0 });
    const listed = generateApiKey().key;
    const legacy = 'legacy-0123456789-abcdefghij-klmnopqrst-uvwxyz';
    await new ApiKeyManager({ store, legacyKeys: true }).import({ user: 'bob', key: legacy });
    const presented = [
      good.key,
      revoked.key,
      expired.key,
      rotated.key,
      listed,
      legacy,
      generateApiKey().key,
    ];

    const folder = mkdtempSync(join(tmpdir(), 'require-api-key-secrecy-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const child = fork(compiled('test/support/secrecy-process.ts'), {
      execArgv: [],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        DATABASE: database.url,
        // As a digest, since a process cannot help knowing its own environment.
        SECRET_KEYS: `carol:${digestApiKey(listed)}`,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let output = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data) => (output += String(data)));
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];

    const answers: string[] = [];
    for (const key of presented) {
      for (const path of [
        '/managed',
        '/stripped',
        '/scoped',
        '/failing',
        '/echoing',
        '/handed-over',
      ]) {
        answers.push(await get(port, path, key));
        answers.push(await get(port, path, `${key},${key}`));
      }
    }
    expect(answers.filter((answer) => answer.startsWith('200')).length).toBeGreaterThanOrEqual(6);
    const snapshot = join(folder, 'heap.heapsnapshot');
    child.send(snapshot);
    await once(child, 'message');
    child.send('end');
    expect((await exited)[0]).toBe(0);

    const memory = readFileSync(snapshot, 'utf8');
    expect(output).toContain('admitted');
    expect(output).toContain('[presented key]');
    expect(memory).toContain(good.record.keyId);
    for (const key of presented) {
      const [secret, part, digest, half, encoded] = secretsOf(key);
      for (const text of [secret, part, digest, half, encoded]) {
        expect(answers.some((answer) => answer.includes(text!))).toBe(false);
        if (key !== listed) expect(output.includes(text!)).toBe(false);
      }
      expect(memory.includes(secret!)).toBe(false);
    }
  });
});

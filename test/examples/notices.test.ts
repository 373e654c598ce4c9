import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTransport } from 'nodemailer';
import { ApiKeyManager, MemoryKeyStore } from 'require-api-key';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mailNotices } from '../../examples/recipes/notices.js';

const dayMs = 24 * 3_600_000;

/** A mail server that keeps what it accepts, and refuses the recipients named. */
async function startMailServer() {
  const mails: string[] = [];
  const refused = new Set<string>();
  const server = createServer((socket) => {
    socket.write('220 ready\r\n');
    let mail: string[] | undefined;
    createInterface(socket).on('line', (line) => {
      if (mail) {
        if (line !== '.') return void mail.push(line);
        mails.push(mail.join('\n'));
        mail = undefined;
        return void socket.write('250 kept\r\n');
      }
      const recipient = /^RCPT TO:<(.*)>/i.exec(line)?.[1];
      if (/^DATA/i.test(line)) {
        mail = [];
        socket.write('354 go on\r\n');
      } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
      else socket.write(refused.has(recipient ?? '') ? '451 try later\r\n' : '250 good\r\n');
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { mails, refused, transport: createTransport({ host: '127.0.0.1', port, secure: false }) };
}

async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'notices-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outbox = join(folder, 'outbox.json');
  const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
  for (const [user, days] of [
    ['alice', 2],
    ['bob', 10],
    ['carol', 30],
  ] as const)
    await keys.create({ user, name: 'ci', expiresAt: new Date(Date.now() + days * dayMs) });
  const server = await startMailServer();
  const addressOf = (user: string) => `${user}@example.com`;
  const run = () =>
    mailNotices(keys, { transport: server.transport, from: 'keys@example.com', addressOf, outbox });
  const waiting = () =>
    (JSON.parse(readFileSync(outbox, 'utf8')) as { user: string }[]).map(({ user }) => user);
  const recipients = () =>
    server.mails.map((mail) => /^To: (.*)@/m.exec(mail)?.[1] ?? '').toSorted();
  return { ...server, outbox, keys, run, waiting, recipients };
}

describe('mails before keys expire', () => {
  it('keys that end soon -> one mail each, with key id and end; none by the next run', async () => {
    const { keys, mails, run, waiting, recipients } = await start();
    await run();
    expect(recipients()).toEqual(['alice', 'bob']);
    const [{ keyId, expiresAt } = { keyId: '' }] = await keys.list({ user: 'alice' });
    const mail = mails.find((each) => each.includes('alice@'))!.replaceAll('=\n', '');
    expect(mail).toContain(keyId);
    expect(mail).toContain(expiresAt!.toISOString());
    expect(waiting()).toEqual([]);
    await run();
    expect(mails).toHaveLength(2);
  });

  it('a mail that fails -> the others are sent, the run fails, and the next run sends it', async () => {
    const { refused, mails, run, waiting, recipients } = await start();
    refused.add('alice@example.com');
    await expect(run()).rejects.toThrow('1 notices were not sent');
    expect(recipients()).toEqual(['bob']);
    expect(waiting()).toEqual(['alice']);
    refused.clear();
    await run();
    expect(recipients()).toEqual(['alice', 'bob']);
    expect(waiting()).toEqual([]);
    expect(mails).toHaveLength(2);
  });

  it('an outbox that cannot be read -> nothing is taken, so nothing is lost', async () => {
    const { outbox, mails, run, recipients } = await start();
    writeFileSync(outbox, '[{');
    await expect(run()).rejects.toThrow(SyntaxError);
    expect(mails).toEqual([]);
    rmSync(outbox);
    await run();
    expect(recipients()).toEqual(['alice', 'bob']);
  });
});

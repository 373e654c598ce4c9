import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check, guard, guarded, serve } from '../support/checked-server.js';
import { cli, folder } from '../support/cli.js';

const canSign = spawnSync('openssl', ['version']).status === 0;

describe('check on what does not answer', () => {
  it('nothing listens, no such host, no answer in time, no TLS, no HTTP -> found', async () => {
    const [slow, plain] = await Promise.all([serve(() => {}), guarded(guard())]);
    const reports = await Promise.all([
      check('http://127.0.0.1:1/'),
      check('http://no-such-host.invalid/'),
      check(slow.url, '--timeout', '1s'),
      check(`https://127.0.0.1:${plain.port}/hello`),
    ]);
    expect(reports.map(({ codes }) => codes.at(-1))).toEqual([
      'no_answer',
      'no_answer',
      'timed_out',
      'tls_failed',
    ]);
    expect(reports[0].findings[0]!.message).toBe(
      'http://127.0.0.1:1 cannot be called: the connection was refused (nothing listens there).',
    );
    expect(reports[3].findings[0]!.message).toContain('it does not speak TLS');
  });

  it.skipIf(!canSign)(
    'a certificate that is signed by itself -> found, and the key not sent',
    async () => {
      const cwd = folder();
      const options =
        'req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1 -keyout server.pem -out server.crt';
      execFileSync('openssl', options.split(' '), { cwd, stdio: 'ignore' });
      const read = (name: string) => readFileSync(join(cwd, name));
      const listener: RequestListener = (_req, res) => void res.writeHead(401).end();
      const server = await serve(
        listener,
        createHttpsServer({ key: read('server.pem'), cert: read('server.crt') }, listener),
      );
      const report = await check(`https://localhost:${server.port}/`);
      expect(report.codes).toEqual(['tls_failed']);
      expect(report.findings[0]!.message).toContain('self-signed');
      expect(server.sawKey()).toBe(false);
    },
  );

  it.each([
    [['check', 'ftp://127.0.0.1/']],
    [['check', 'http://user:password@127.0.0.1/']],
    [['check', 'http://127.0.0.1/', 'another-key-of-mine-0123456789']],
    [['check', 'http://127.0.0.1/', '--header', 'Cookie']],
    [['check', 'http://127.0.0.1/', '--origin', 'app.example']],
  ])('%j -> misused, nothing is called', async (args) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(stderr).not.toContain('another-key');
  });

  it('a key that no header can carry -> found, and not sent', async () => {
    const server = await guarded(guard());
    const { code, stdout } = await cli(['check', server.url], { input: 'two words' });
    expect(code).toBe(1);
    expect(stdout).toContain('Your key cannot be sent in a header');
    expect(stdout).not.toContain('two words');
  });
});

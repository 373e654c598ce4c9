import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { PoolConfig } from 'pg';
import { onTestFinished, vi } from 'vitest';
import type { ApiKeyManagerOptions } from '../../src/index.js';
import { compiled } from './compiled.js';

export interface GuardedProcessOptions {
  readonly url?: string;
  /** A SQLite file, in place of `url`. */
  readonly file?: string;
  readonly pool?: PoolConfig;
  readonly store?: { queryTimeoutMs?: number; heartbeatMs?: number };
  readonly manager?: Omit<ApiKeyManagerOptions, 'store' | 'now'>;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | null;
  readonly apiKey?: { user: string; scopes: string[] };
}

export interface GuardedProcess {
  /** Presents a key; `code` is `admitted` or that of the refusal. */
  ask(key: string): Promise<GuardedAnswer>;
  /** Stops it as a function platform does between two requests. Resolves once it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
  /**
   * Lets it write what is waiting and end by itself. Resolves to its exit code and all that it
   * printed.
   */
  close(): Promise<{ exitCode: number | null; output: string }>;
}

/** A guarded server in a process of its own, ended with the test. */
export async function startGuardedProcess(options: GuardedProcessOptions): Promise<GuardedProcess> {
  const child = fork(compiled('test/support/guarded-process.ts'), {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production', GUARDED_PROCESS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (data) => (output += String(data)));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const [message] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error(output))),
  ])) as [{ port: number }];

  return {
    async ask(key) {
      const response = await fetch(`http://127.0.0.1:${message.port}/`, {
        headers: { 'X-API-Key': key },
      });
      const body = (await response.json()) as { code?: string; user: string; scopes: string[] };
      const { status, headers } = response;
      const answer = {
        status,
        code: body.code ?? 'admitted',
        retryAfter: headers.get('Retry-After'),
      };
      return status === 200 ? { ...answer, apiKey: body } : answer;
    },
    async freeze() {
      child.kill('SIGSTOP');
      await vi.waitFor(() => {
        const state = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '')[0];
        if (state !== 'T') throw new Error(`not stopped yet: ${state}`);
      });
    },
    thaw: () => void child.kill('SIGCONT'),
    async close() {
      child.send('close');
      const [exitCode] = await exited;
      return { exitCode, output };
    },
  };
}

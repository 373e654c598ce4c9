import { fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { ApiKeyManagerOptions } from '../../src/index.js';
import { compiled } from './compiled.js';
import type { Call } from './store-process.js';

export interface StoreProcessOptions {
  /** A SQLite file. */
  readonly file?: string;
  /** Of that file, as `SqliteKeyStore.open` takes it. */
  readonly busyTimeoutMs?: number;
  /** A PostgreSQL database, in place of `file`. */
  readonly url?: string;
  readonly manager?: Omit<ApiKeyManagerOptions, 'store' | 'now'>;
  /** Of its account page. */
  readonly maxKeys?: number;
}

export interface Outcome<Value = unknown> {
  readonly value?: Value;
  /** The code of the error, or its message. */
  readonly code?: string;
}

export interface StoreProcess {
  /** Where its account page listens. */
  readonly port: number;
  /** Calls a method of the manager or the store once for each list of arguments, all at once. */
  call<Value>(
    on: Call['on'],
    method: string,
    ...calls: readonly (readonly unknown[])[]
  ): Promise<Outcome<Value>[]>;
  /** What it has printed. */
  output(): string;
  /** Kills it without warning. */
  kill(): Promise<void>;
}

/** A process with a store and a manager of its own, ended with the test. */
export async function startStoreProcess(options: StoreProcessOptions): Promise<StoreProcess> {
  const child = fork(compiled('test/support/store-process.ts'), {
    execArgv: [],
    env: { ...process.env, STORE_PROCESS: JSON.stringify(options) },
    // Keeps dates what they are.
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (data) => (output += String(data)));
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(output))),
  ])) as [{ port: number }];
  // Each call that is under way listens.
  child.setMaxListeners(0);
  let calls = 0;
  return {
    port,
    output: () => output,
    async call<Value>(on: Call['on'], method: string, ...list: readonly (readonly unknown[])[]) {
      const id = ++calls;
      const answered = new Promise<Outcome<Value>[]>((resolve) => {
        const listener = (message: { id: number; answers: Outcome<Value>[] }) => {
          if (message.id !== id) return;
          child.off('message', listener);
          resolve(message.answers);
        };
        child.on('message', listener);
      });
      child.send({ id, on, method, calls: list } satisfies Call);
      return answered;
    },
    async kill() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export const startStoreProcesses = (
  options: StoreProcessOptions,
  count: number,
): Promise<StoreProcess[]> =>
  Promise.all(Array.from({ length: count }, () => startStoreProcess(options)));

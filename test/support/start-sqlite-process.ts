import { fork } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { Call } from './sqlite-process.js';

export interface Outcome<Value = unknown> {
  readonly value?: Value;
  /** The code of the error, or its message. */
  readonly code?: string;
}

export interface SqliteProcess {
  /** Calls a method of the manager or the store once for each list of arguments, all at once. */
  call<Value>(
    on: Call['on'],
    method: string,
    ...calls: readonly (readonly unknown[])[]
  ): Promise<Outcome<Value>[]>;
  /** Kills it without warning. */
  kill(): Promise<void>;
}

/** A process with a store and a manager of its own on the file, ended with the test. */
export async function startSqliteProcess(path: string): Promise<SqliteProcess> {
  const child = fork('test/support/sqlite-process.ts', {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, SQLITE_FILE: path },
    // Keeps dates what they are.
    serialization: 'advanced',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  let calls = 0;
  return {
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

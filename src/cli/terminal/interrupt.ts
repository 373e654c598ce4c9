import { Failure } from '../failure.js';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** The user stopped long work. */
export class Interrupted extends Failure {
  override readonly name = 'Interrupted';
}

/** Runs work that stops cleanly between its steps at the first Ctrl-C, and at once at the second. */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const listeners = Object.entries(exitCodes).map(([name, exitCode]) => {
    const listener = () => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted('stopped', { exitCode }));
    };
    return [name, listener] as const;
  });
  for (const [name, listener] of listeners) process.on(name, listener);
  try {
    return await work(controller.signal);
  } finally {
    for (const [name, listener] of listeners) process.off(name, listener);
  }
}

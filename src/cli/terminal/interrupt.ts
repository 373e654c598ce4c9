import { Failure } from '../failure.js';

/** Signals that ask a process to stop, and the exit codes by which shells know them. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The user stopped the command. */
export class Interrupted extends Failure {
  override readonly name = 'Interrupted';
}

/**
 * Calls the listener with the exit code of each such signal, until the function that is returned
 * is called.
 */
export function onSignals(
  signals: readonly (keyof typeof exitCodes)[],
  listener: (exitCode: number) => void,
): () => void {
  const listeners = signals.map((signal) => [signal, () => listener(exitCodes[signal])] as const);
  for (const [signal, each] of listeners) process.on(signal, each);
  return () => {
    for (const [signal, each] of listeners) process.off(signal, each);
  };
}

/**
 * Runs work that stops cleanly between its steps at the first Ctrl-C, and at once at the second.
 */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  // Not SIGHUP: a listener for it would disable `nohup`, with which long work is often started.
  const off = onSignals(['SIGINT', 'SIGTERM'], (exitCode) => {
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new Interrupted('stopped', { exitCode }));
  });
  try {
    return await work(controller.signal);
  } finally {
    off();
  }
}

/** @throws {Interrupted} with this message if the user has stopped the work. */
export function stopIfInterrupted({ reason }: AbortSignal, message: string): void {
  if (reason instanceof Interrupted) throw new Interrupted(message, { exitCode: reason.exitCode });
}

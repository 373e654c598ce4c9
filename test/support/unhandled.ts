import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface Unhandled {
  /** What nobody caught, once everything under way has had its turn. */
  settled(): Promise<readonly unknown[]>;
}

/** Collects rejections and exceptions that nobody caught until the test is over. */
export function watchUnhandled(): Unhandled {
  const caught: unknown[] = [];
  const keep = (reason: unknown): void => {
    caught.push(reason);
  };
  process.on('unhandledRejection', keep);
  process.on('uncaughtExceptionMonitor', keep);
  onTestFinished(() => {
    process.off('unhandledRejection', keep);
    process.off('uncaughtExceptionMonitor', keep);
  });
  return {
    async settled() {
      for (let turn = 0; turn < 5; turn++) await setImmediate();
      return caught;
    },
  };
}

import { afterAll, beforeAll } from 'vitest';

/** Collects the process warnings of this library for the tests of one file. */
export function collectWarnings(): { since(mark: number): Promise<string[]>; mark(): number } {
  const messages: string[] = [];
  const listener = (warning: Error) => {
    if (warning.name === 'RequireApiKeyWarning') messages.push(warning.message);
  };
  beforeAll(() => void process.on('warning', listener));
  afterAll(() => void process.off('warning', listener));
  return {
    mark: () => messages.length,
    // Warnings are emitted on the next tick, and the sources are checked just after start.
    async since(mark) {
      await nextTurn();
      await nextTurn();
      return messages.slice(mark);
    },
  };
}

/** Resolves after everything that was put off with `setImmediate` so far. */
export const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

import type { requireApiKey } from '../../src/index.js';

export type GuardOptions = NonNullable<Parameters<typeof requireApiKey>[0]>;
type OneSource = Exclude<NonNullable<GuardOptions['source']>, readonly unknown[]>;
type Then = (resolve: (answer: unknown) => void, reject: (reason: unknown) => void) => void;

/**
 * A source of any answers at all, past the compiler: what JavaScript callers and broken tables
 * give.
 */
export function anySource(
  source: ((key: string, req: object) => unknown) | { verify: () => unknown },
): OneSource {
  return source as OneSource;
}

/** What other promise libraries give: no promise of this realm, merely something with a `then`. */
export function thenable(then: Then): object {
  // oxlint-disable-next-line unicorn/no-thenable -- exactly what is wanted here
  return { then };
}

export interface Pending {
  readonly source: OneSource;
  /** Called with the live request once the source has been asked. */
  onAsked: (req: { on(event: string, listener: () => void): unknown }) => void;
  resolve(answer: unknown): void;
  reject(reason: unknown): void;
}

/** A source whose latest question the test answers when it likes. */
export function pendingSource(): Pending {
  let latest: Pick<Pending, 'resolve' | 'reject'> | undefined;
  const asked = (): Pick<Pending, 'resolve' | 'reject'> => {
    if (latest === undefined) throw new Error('the source has not been asked');
    return latest;
  };
  const pending: Pending = {
    source: anySource(
      async (_key, req) =>
        new Promise((resolve, reject) => {
          latest = { resolve, reject };
          queueMicrotask(() => {
            pending.onAsked(req as Parameters<Pending['onAsked']>[0]);
          });
        }),
    ),
    onAsked: () => {},
    resolve: (answer) => {
      asked().resolve(answer);
    },
    reject: (reason) => {
      asked().reject(reason);
    },
  };
  return pending;
}

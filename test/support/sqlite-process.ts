// One of several processes that use one SQLite file: `fork` it through `startSqliteProcess`.
import { ApiKeyManager } from '../../src/index.js';
import { SqliteKeyStore } from '../../src/sqlite.js';

/** What a process is told to do: to call a method of its manager or store some times at once. */
export interface Call {
  readonly id: number;
  readonly on: 'keys' | 'store' | 'claims';
  readonly method: string;
  readonly calls: readonly (readonly unknown[])[];
}

const store = await SqliteKeyStore.open(process.env['SQLITE_FILE']!);
const keys = new ApiKeyManager({ store });

process.on('message', ({ id, on, method, calls }: Call) => {
  const target = { keys, store, claims: store.claims }[on] as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  const outcomes = calls.map(async (args) => {
    try {
      return { value: await target[method]!(...args) };
    } catch (error) {
      return { code: (error as { code?: string }).code ?? (error as Error).message };
    }
  });
  void Promise.all(outcomes).then((answers) => process.send!({ id, answers }));
});
process.send!({ id: 0, answers: [] });

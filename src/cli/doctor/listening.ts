import type { SetUp } from '../../stores/postgres/diagnose.js';
import type { PostgresKeyStore } from '../../stores/postgres/postgres-key-store.js';
import { addressBehind } from '../database/database-url.js';
import type { Finding } from '../finding.js';

/**
 * A listener hears its own announcement within milliseconds. A first connection may take longer.
 */
const patienceMs = 3_000;

/** Whether a change made elsewhere would be heard over this connection. */
export async function examineListening(
  store: PostgresKeyStore,
  setUp: SetUp,
  url: string,
): Promise<Finding[]> {
  if (!store.watch) return [];
  let watch: ReturnType<typeof store.watch> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const isHeard = await new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
    const ignore = () => {};
    watch = store.watch!({
      connected: () => resolve(true),
      alive: ignore,
      changed: ignore,
      disconnected: ignore,
    });
  });
  clearTimeout(timer);
  await watch?.close();
  if (isHeard) return [];
  const direct = addressBehind(url, setUp);
  return [
    {
      severity: 'warning',
      code: 'no_listener',
      message:
        'announcements do not arrive over this connection, as through PgBouncer in transaction ' +
        'mode: a key that is revoked elsewhere works for up to cacheTtlMs (30 s) in each ' +
        'process.',
      remedy:
        direct === undefined
          ? 'give the store a small pool that goes to the database directly, or lower cacheTtlMs'
          : `give the store a small pool that goes to the server itself, ${direct} as it says, ` +
            'with the same password; or lower cacheTtlMs',
    },
  ];
}

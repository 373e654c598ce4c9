import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/**
 * Resolves when the server at this address takes connections; `assertRunning` throws where it never
 * will.
 */
export async function untilReady(url: string, assertRunning: () => void): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      assertRunning();
      if (attempt > 400) throw error;
      await wait(25);
    }
  }
}

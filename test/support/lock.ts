import type pg from 'pg';
import { eventually } from './audio-api.js';

/** Waits until a statement of the command line waits for a lock that another transaction holds. */
export async function untilBlocked(observer: pg.Pool): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await observer.query(
      `select from pg_stat_activity where application_name = 'require-api-key'
        and datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount! > 0;
  }, 'the command line waits for a lock');
}

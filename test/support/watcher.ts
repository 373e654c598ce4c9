import { expect } from 'vitest';
import type { KeyStoreWatcher } from '../../src/stores/key-store.js';

export interface RecordingWatcher extends KeyStoreWatcher {
  /**
   * What was told, in order: `connected`, `disconnected`, `alive`, and `changed` with the key id
   * behind it.
   */
  readonly told: string[];
  readonly changes: string[];
  /** Waits until it has been told this so many times. */
  until(what: string, times?: number): Promise<void>;
}

export function recordingWatcher(): RecordingWatcher {
  const told: string[] = [];
  return {
    told,
    get changes() {
      return told
        .filter((each) => each.startsWith('changed '))
        .map((each) => each.slice('changed '.length));
    },
    connected: () => void told.push('connected'),
    disconnected: () => void told.push('disconnected'),
    alive: () => void told.push('alive'),
    changed: (keyId) => void told.push(`changed ${keyId}`),
    async until(what, times = 1) {
      await expect
        .poll(() => told.filter((each) => each === what).length, { timeout: 10_000, interval: 5 })
        .toBeGreaterThanOrEqual(times);
    },
  };
}

import type { ApiKeyManager } from 'require-api-key';

/** Where the users' keys are kept. */
export interface KeyPlace {
  keys: ApiKeyManager;
  /** Names the place for whoever started the server; holds no password. */
  name: string;
  /** The folder for the keys that the first start makes. */
  keyFolder: string;
  /** What the command line needs to find the same keys. */
  cliOptions: string;
  /** To be called after the last request. */
  close(): Promise<void>;
}

/** The folder of the example's own files, ignored by git. */
export const FOLDER = '.audio-api';

/** Uses are written once in this time, so that the key desk shows them while one looks. */
export const LAST_USED_INTERVAL_MS = 1_000;

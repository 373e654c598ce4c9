import type { ApiKeyManager } from 'require-api-key';

/** Where the keys of the public routes are. */
export interface KeyPlace {
  /** There where keys are managed. */
  keys?: ApiKeyManager;
  /** What to tell whoever started the server, once it listens. A first key is shown in it, and never again. */
  howToCall(url: string): string | Promise<string>;
  /** To be called behind the last request. */
  close?(): Promise<void>;
}

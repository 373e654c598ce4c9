import { config } from 'dotenv';

export const envFile = '.env';

/** Fills what is unset in the environment from the `.env` of this folder, as an application would. */
export function loadEnvironment(): void {
  config({ path: envFile, quiet: true, debug: false });
}

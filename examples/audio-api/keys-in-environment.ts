import { ENV_FILE, ensureKeys } from './first-run.js';
import type { KeyPlace } from './key-place.js';

export function keysInEnvironment(): KeyPlace {
  const firstKey = ensureKeys();
  return {
    howToCall(url) {
      if (firstKey.origin === 'new') {
        return `Two keys were made and kept in ${ENV_FILE}. With the first of them:

curl -H 'X-API-Key: ${firstKey.demoKey}' ${url}/hello`;
      }
      const curl = `curl -H "X-API-Key: $API_KEY" ${url}/hello`;
      if (firstKey.origin === 'file') {
        return `The keys are those in ${ENV_FILE}:

API_KEY=$(sed -n 's/^API_KEYS=demo:\\([^,]*\\).*/\\1/p' ${ENV_FILE} | tail -n 1)
${curl}`;
      }
      return `The keys are your own, those in API_KEYS and INTERNAL_API_KEY. With one of them in API_KEY:

${curl}`;
    },
  };
}

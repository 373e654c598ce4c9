import { UPLOAD_SCOPE } from './app.js';
import type { FirstKey, FirstKeys } from './first-keys.js';
import type { KeyPlace } from './key-place.js';

export interface Start {
  url: string;
  place: KeyPlace;
  first: FirstKeys;
  /** How a shell finds the key of the internal route. */
  internalKey: string;
  hasLogin: boolean;
}

/** What to do now. Holds a key or a link only in the start that made it. */
export function welcome({ url, place, first, internalKey, hasLogin }: Start): string {
  const { demo, operator, claimToken } = first;
  const parts = [
    `The audio API listens on ${url}
Its users' keys are in ${place.name}.`,
    `Call it with the demo key, which is kept in ${demo.file}${ifOver(demo)}:

curl -H ${keyHeader(demo)} ${url}/hello`,
    claimToken === undefined
      ? `Make a claim link, with which a user makes a key:

  npx require-api-key claim bob --scope ${UPLOAD_SCOPE} --base-url ${url}/claim${place.cliOptions}`
      : `Open this claim link to make a key for alice. It works once, for a day:

  ${url}/claim#${claimToken}`,
    `See, pause and revoke all keys on the key desk. Its key is in ${operator.file}${ifOver(operator)}:

  ${url}/keys`,
    ...(hasLogin ? [accountPage(url)] : []),
    `List the uploads and whose key sent them:

  curl -H "X-Internal-Api-Key: ${internalKey}" ${url}/_internal/jobs`,
  ];
  return parts.join('\n\n');
}

const accountPage = (url: string) =>
  `Manage keys of your own on the account page. Its login is a demonstration and believes any name:

  ${url}/account/keys`;

function ifOver({ file, isOver }: FirstKey): string {
  return isOver === true
    ? ` (no longer valid: delete ${file} to get another at the next start)`
    : '';
}

/** A key is shown once. Later it is read from its file, in the folder that the server runs in. */
function keyHeader({ file, key }: FirstKey): string {
  return key === undefined ? `"X-API-Key: $(cat '${file}')"` : `'X-API-Key: ${key}'`;
}

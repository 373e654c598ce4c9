/**
 * Pages over an `ApiKeyManager`: `claimPage`, on which users fetch their keys, `keyDesk`, on
 * which operators manage them, and `accountKeys`, on which users manage their own.
 *
 * @module require-api-key/web
 */

export { accountKeys, type AccountKeysOptions } from './web/account/account-keys.js';
export type { ScopesFor, UserOf } from './web/account/account-user.js';
export { claimPage, type ClaimPageOptions } from './web/claim-page.js';
export { keyDesk, type KeyDeskOptions } from './web/key-desk.js';

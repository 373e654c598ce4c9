/**
 * Pages over an `ApiKeyManager`. Users fetch their keys on `claimPage` and manage their own on
 * `accountKeys`. Operators manage all keys on `keyDesk`.
 *
 * @module require-api-key/web
 */

export { accountKeys, type AccountKeysOptions } from './web/account/account-keys.js';
export type { ScopesForUser, UserOf } from './web/account/account-user.js';
export { claimPage, type ClaimPageOptions } from './web/claim-page.js';
export { keyDesk, type KeyDeskOptions } from './web/key-desk.js';

/**
 * Pages over an `ApiKeyManager`: `claimPage`, on which users fetch their keys, and `keyDesk`, on which operators manage them.
 *
 * @module require-api-key/web
 */

export { claimPage, type ClaimPageOptions } from './web/claim-page.js';
export { keyDesk, type KeyDeskOptions } from './web/key-desk.js';

/**
 * Pages over an `ApiKeyManager`: one on which users fetch their keys, one on which operators keep them.
 *
 * @module require-api-key/web
 */

export { claimPage, type ClaimPageOptions } from './web/claim-page.js';
export { keyDesk, type KeyDeskOptions } from './web/key-desk.js';

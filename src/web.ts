export { claimPage, type ClaimPageOptions } from './web/claim-page.js';
export { keyDesk, type KeyDeskOptions } from './web/key-desk.js';

/**
 * Express middleware that lets a request through only with a known API key. It also makes, stores
 * and ends such keys. Begin with `requireApiKey`. For keys in a database see `ApiKeyManager`.
 *
 * @module require-api-key
 */

export {
  ApiKeyError,
  type ApiKeyErrorCode,
  type ApiKeyErrorOptions,
} from './keys/api-key-error.js';
export { apiKeyOf, type ApiKey, type Identity } from './keys/api-key.js';
export type { ApiKeyMessage, ChangeVia, ClaimMessage } from './keys/diagnostics.js';
export type { RefusalReason } from './keys/refusal.js';
export type { OnRefused } from './guard/run-on-refused.js';
export {
  generateApiKey,
  parseApiKey,
  type GenerateApiKeyOptions,
  type GeneratedApiKey,
} from './keys/key-format.js';
export type { KeySource, KeySourceAnswer, VerifyKey, VerifyResult } from './keys/key-source.js';
export { digestApiKey } from './keys/digest.js';
export {
  requireApiKey,
  type ApiKeyHandler,
  type RequireApiKeyOptions,
} from './guard/require-api-key.js';
export type { HeaderOption, HeadersOption } from './http/key-headers.js';
export { requireScopes, type RequireScopes, type ScopesFor } from './guard/require-scopes.js';
export { respondWithProblem } from './guard/respond-with-problem.js';
export {
  securityScheme,
  type SecurityScheme,
  type SecuritySchemeOptions,
} from './guard/security-scheme.js';
export { envKeyList, type EnvKeyListOptions } from './sources/env-key-list.js';
export { envKey, type EnvKeyOptions } from './sources/env-key.js';
export { keyList, type KeyListOptions } from './sources/key-list.js';
export { ApiKeyManager } from './manager/api-key-manager.js';
export type { CreateClaimOptions, ListClaimsOptions } from './manager/claim-options.js';
export type { CreatedClaim } from './manager/claims.js';
export type { ApiKeyManagerOptions } from './manager/manager-options.js';
export type { Attribution } from './manager/change-options.js';
export type {
  CreatedKey,
  CreateKeyOptions,
  ImportKeyOptions,
  PauseKeyOptions,
  RevokeAllOptions,
  RevokeKeyOptions,
  RotateKeyOptions,
  UpdateKeyOptions,
} from './manager/key-options.js';
export type {
  HistoryOptions,
  ListKeysOptions,
  NoticeOptions,
  PruneOptions,
  UsageOptions,
} from './manager/query-options.js';
export {
  ClaimError,
  type ClaimedKey,
  type ClaimErrorCode,
  type ClaimOutcome,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStatus,
  type ClaimStore,
  type StoredClaim,
} from './stores/claim-store.js';
export { type KeyRecord, type KeyStatus, type StoredKey } from './stores/key-record.js';
export { KeyStoreError, type KeyStoreErrorCode } from './stores/key-store-error.js';
export type {
  KeyUpdate,
  KeyQuery,
  KeyStore,
  KeyStoreWatcher,
  KeyUse,
  Overlap,
  Successor,
  WriteOptions,
  KeyLimit,
  KeyNotice,
  KeyPause,
  NoticeQuery,
  RevokedAll,
} from './stores/key-store.js';
export type {
  ChangeContext,
  ChangedField,
  EventQuery,
  EventStore,
  KeyEvent,
  KeyEventType,
} from './stores/key-event.js';
export type { KeyUsage, UsageQuery, UsageStore } from './stores/key-usage.js';
export { MemoryKeyStore } from './stores/memory/memory-key-store.js';

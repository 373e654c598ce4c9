/** Said if legacy keys were taken over: a server refuses them without the option. */
export const legacyKeysNote =
  'To accept keys from elsewhere, the server needs new ApiKeyManager({ store, legacyKeys: true }).';

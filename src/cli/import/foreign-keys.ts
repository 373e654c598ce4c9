/** Said where keys were taken over that have not the library's form: a server refuses them otherwise. */
export const foreignKeysNote =
  'To accept keys from elsewhere, the server needs new ApiKeyManager({ store, legacyKeys: true }).';

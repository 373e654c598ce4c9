/**
 * All that decides whether a request is admitted: to a guarded route, or on the account page to
 * the keys of a user.
 */
export const decidesAdmission = [
  'src/guard/*.ts',
  'src/http/{challenge,key-headers,presented-key,response-headers}.ts',
  'src/keys/{admission,api-key,api-key-error,digest,key-format,key-source,own-source,refusal}.ts',
  'src/lib/{addresses,options,values,within}.ts',
  'src/manager/{address-judge,checks,key-verifier,policies}.ts',
  'src/manager/cache/{cached-key,circuit-breaker,clock-reading,key-cache,key-lookup,recent-changes,store-watch}.ts',
  'src/sources/*.ts',
  'src/stores/postgres/keys/{find-by-digests,look-up-queue}.ts',
  'src/web/account/*.ts',
  'src/web/http/{read-json,same-origin}.ts',
];

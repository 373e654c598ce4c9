/** All that decides whether a request is admitted. */
export const decidesAdmission = [
  'src/guard/*.ts',
  'src/http/{challenge,presented-key,response-headers}.ts',
  'src/keys/{admission,api-key,api-key-error,digest,key-format,key-source}.ts',
  'src/lib/within.ts',
  'src/manager/key-verifier.ts',
  'src/manager/cache/{cached-key,circuit-breaker,clock-reading,key-cache,key-lookup,recent-changes,store-watch}.ts',
  'src/sources/*.ts',
];

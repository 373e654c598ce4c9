/** All that decides whether a request is admitted. */
export const decidesAdmission = [
  'src/guard/*.ts',
  'src/lib/{admission,challenge,digest,digest-table,presented-key,response-headers,within}.ts',
  'src/sources/*.ts',
  'src/{api-key,api-key-error,key-format,key-source,require-api-key,require-scopes}.ts',
  'src/manager/{checked-key,finding-cache,key-lookup,key-verifier,moment,store-health,store-watch}.ts',
];

/**
 * All that decides whether a request is admitted, to a guarded route or on the account page to the
 * keys of a user, room by room, each with the tests that have to notice a change in it.
 */
export const rooms = [
  {
    name: 'guard',
    files: ['src/guard/*.ts', 'src/http/{challenge,key-headers,presented-key,response-headers}.ts'],
    tests: [
      'test/{guard,http}/*.test.ts',
      'test/security/{bypasses,conditions,several-headers,truth-table}.test.ts',
    ],
  },
  {
    name: 'keys',
    files: [
      'src/keys/{admission,api-key,api-key-error,digest,key-format,key-source,own-source,refusal}.ts',
      'src/lib/{addresses,options,values,within}.ts',
      'src/sources/*.ts',
    ],
    tests: [
      'test/{guard,keys,lib,sources}/*.test.ts',
      'test/contract/key-sources.test.ts',
      'test/http/{answers,faults,identity,nothing-configured,options,refusals}.test.ts',
      'test/manager/{addresses,arguments}.test.ts',
    ],
  },
  {
    name: 'manager',
    files: [
      'src/manager/{address-judge,checks,key-verifier,policies}.ts',
      'src/manager/cache/{cached-key,circuit-breaker,clock-reading,key-cache,key-lookup,recent-changes,store-watch}.ts',
      'src/stores/postgres/keys/{find-by-digests,look-up-queue}.ts',
    ],
    tests: [
      'test/manager/**/*.test.ts',
      'test/contract/memory-key-store.test.ts',
      'test/postgres/look-up-queue.test.ts',
      'test/promises/{changes,last-used,queries-and-memory,rotation,store-down}.test.ts',
    ],
  },
  {
    name: 'account',
    files: ['src/web/account/*.ts', 'src/web/http/{read-json,same-origin}.ts'],
    tests: ['test/web/{account/*,http/*,bodies,rewritten-host}.test.ts'],
  },
];

export const decidesAdmission = rooms.flatMap(({ files }) => files);

/** The tests of every room. */
export const admissionTests = [...new Set(rooms.flatMap(({ tests }) => tests))];

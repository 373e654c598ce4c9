/**
 * How much is measured. The whole takes 45 minutes on two cores. The goals are for Node 24;
 * the other Nodes say whether they differ much, for which less will do.
 */
const full = {
  guard: { processes: 3, sizes: [1, 100, 10_000, 1_000_000], warmMs: 100, rounds: 20 },
  peers: { processes: 3, size: 100, warmMs: 200, rounds: 20 },
  http: {
    processes: 5,
    warmMs: 7_000,
    measureMs: 3_000,
    leastWindows: 10,
    manyKeys: 1_000_000,
    fewInUse: 1_000,
    attempts: 3,
    controlRange: [0.97, 1.03],
    isWhole: true,
  },
  start: { memory: { keys: 100_000, flood: 1_000_000 }, start: { rounds: 11 } },
  postgres: {
    rows: [1_000, 1_000_000],
    turns: {
      rounds: 4,
      durationMs: 1_000,
      warmMs: 2_500,
      connections: 16,
      logged: 1_000,
      loggedKeys: 100,
    },
  },
  cold: { underWay: [1, 16, 64, 1_000], rounds: 5, durationMs: 1_000 },
  warm: { processes: 3, size: 1_000, warmMs: 200, rounds: 20 },
  polling: { turns: 2, durationMs: 10_000 },
  growth: {
    revocation: { postgres: 300, sqlite: 100 },
    flood: { rounds: 3, durationMs: 2_000, connections: 8, floodConnections: 8 },
  },
};

/** For the Nodes that are not judged. */
const fewer = {
  ...full,
  guard: { ...full.guard, processes: 2 },
  peers: { ...full.peers, processes: 1 },
  http: { ...full.http, processes: 3, attempts: 2, isWhole: false },
  start: { ...full.start, memory: { keys: 100_000, flood: 200_000 } },
  postgres: { ...full.postgres, turns: { ...full.postgres.turns, rounds: 2 } },
  cold: { ...full.cold, rounds: 2 },
  growth: { ...full.growth, flood: { ...full.growth.flood, rounds: 2 } },
};

const quick = {
  guard: { processes: 1, sizes: [1, 100, 1_000, 10_000], warmMs: 30, rounds: 4 },
  peers: { processes: 1, size: 100, warmMs: 30, rounds: 4 },
  http: {
    processes: 1,
    warmMs: 500,
    measureMs: 500,
    leastWindows: 2,
    manyKeys: 5_000,
    fewInUse: 100,
    attempts: 2,
    // Beside other work even two like apps may differ by much.
    controlRange: [0.2, 5],
    isWhole: true,
  },
  start: { memory: { keys: 2_000, flood: 20_000 }, start: { rounds: 2 } },
  postgres: {
    rows: [1_000, 20_000],
    turns: { rounds: 1, durationMs: 300, warmMs: 500, connections: 8, logged: 100, loggedKeys: 20 },
  },
  cold: { underWay: [1, 16, 64, 1_000], rounds: 1, durationMs: 200 },
  warm: { processes: 1, size: 100, warmMs: 30, rounds: 4 },
  polling: { turns: 1, durationMs: 1_000 },
  growth: {
    revocation: { postgres: 20, sqlite: 5 },
    flood: { rounds: 1, durationMs: 500, connections: 4, floodConnections: 4 },
  },
};

/** By whether a run is quick, and whether a Node is judged. */
export const settings = {
  full: { judged: full, others: fewer },
  quick: { judged: quick, others: quick },
};

/** How much is measured. The whole takes about 22 minutes on two cores. */
export const full = {
  guard: { processes: 3, sizes: [1, 100, 10_000, 1_000_000], warmMs: 100, rounds: 20 },
  peers: { processes: 3, size: 100, warmMs: 200, rounds: 20 },
  http: { processes: 5, warmMs: 9_000, measureMs: 3_000 },
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
  growth: {
    memory: { keys: 100_000, flood: 1_000_000 },
    start: { processes: 11 },
    revocation: { count: 300 },
    flood: { rounds: 3, durationMs: 2_000, connections: 8, floodConnections: 8 },
  },
};

export const quick = {
  guard: { processes: 1, sizes: [1, 100, 1_000, 10_000], warmMs: 30, rounds: 4 },
  peers: { processes: 1, size: 100, warmMs: 30, rounds: 4 },
  http: { processes: 1, warmMs: 1_000, measureMs: 1_000 },
  postgres: {
    rows: [1_000, 20_000],
    turns: { rounds: 1, durationMs: 300, warmMs: 500, connections: 8, logged: 100, loggedKeys: 20 },
  },
  cold: { underWay: [1, 16, 64, 1_000], rounds: 1, durationMs: 200 },
  growth: {
    memory: { keys: 2_000, flood: 20_000 },
    start: { processes: 2 },
    revocation: { count: 20 },
    flood: { rounds: 1, durationMs: 500, connections: 4, floodConnections: 4 },
  },
};

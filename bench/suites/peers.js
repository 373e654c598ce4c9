import { median } from '../report/statistics.js';
import { runOnce, shuffled, spreadOf } from './processes.js';

const flags = ['--min-semi-space-size=16'];

const names = [
  'passport-headerapikey',
  'express-bearer-token and a Map',
  'express-jwt (HS256)',
  '@fastify/bearer-auth',
  'hono bearerAuth',
  'better-auth verifyApiKey',
];

/** Peers beside the guard, without sockets, on the same number of keys. */
export async function measurePeers({ processes, size, warmMs, rounds }, place) {
  const runs = new Map(names.map((peer) => [peer, []]));
  for (let count = 0; count < processes; count++) {
    for (const peer of shuffled(names)) {
      const options = { peer, size, warmMs, rounds };
      runs.get(peer).push(await runOnce('micro/peers-worker.js', options, { ...place, flags }));
    }
  }
  return names.map((peer) => ({
    peer,
    wallNs: spreadOf(runs.get(peer).map((run) => median(run.peer.wallNs))),
    cpuNs: spreadOf(runs.get(peer).map((run) => median(run.peer.cpuNs))),
    guardNs: spreadOf(runs.get(peer).map((run) => median(run.guard.wallNs))),
    againstGuard: spreadOf(
      runs
        .get(peer)
        .map((run) => median(run.peer.wallNs.map((ns, at) => ns / run.guard.wallNs[at]))),
    ),
  }));
}

// One process: one peer beside the guard, on the same number of keys.
import { environmentGuard } from './handlers.js';
import { makeKeys } from './keys.js';
import { measure } from './measure.js';
import { middlewareSubject, peers } from './peers.js';
import { requestMaker } from './requests.js';

const { peer, size, ...options } = JSON.parse(process.argv[2]);

const keys = makeKeys(size);
const subjects = [
  middlewareSubject(environmentGuard(keys), requestMaker(keys), 'guard'),
  await peers[peer](keys),
];
// Peers may keep timers; nothing of theirs is worth waiting for.
process.send(await measure(subjects, options), () => process.exit());

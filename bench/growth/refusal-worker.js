// The other process: says at which instant, of the clock that all processes share, it refused a key
// or heard a notification.
import pg from 'pg';
import { ApiKeyManager } from '../library.js';
import { openStore } from './stores.js';

const options = JSON.parse(process.argv[2]);

const { store } = await openStore(options);
const manager = new ApiKeyManager({ store });
const now = () => String(process.hrtime.bigint());

if (options.kind === 'postgres') {
  const { url, channel } = options;
  const listener = new pg.Client({ connectionString: url });
  await listener.connect();
  await listener.query(`listen ${channel}`);
  listener.on('notification', (message) => {
    if (message.channel === channel) process.send({ at: now() });
  });
}

let watched;
process.on('message', ({ key }) => void watch(key));

async function watch(key) {
  const { ok } = await manager.verify(key);
  if (!ok) throw new Error('the key has to be known at first');
  watched = key;
  process.send('known');
}

/** All the time, so that a notification meets a process as busy as a revocation does. */
async function ask() {
  if (watched) {
    const { code } = await manager.verify(watched);
    if (code === 'revoked_api_key') {
      watched = undefined;
      process.send({ at: now() });
    }
  }
  setImmediate(() => void ask());
}
void ask();
process.send('ready');

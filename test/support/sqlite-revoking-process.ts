// Revokes key after key, tells of each when it is done, and waits to be killed.
import { SqliteKeyStore } from '../../src/sqlite.js';

const [, , path, first] = process.argv;
const store = await SqliteKeyStore.open(path!);
for (let index = Number(first); index < Number(first) + 100; index++) {
  const keyId = `key_${String(index).padStart(4, '0')}`;
  await store.revoke(keyId, new Date(), { family: false });
  process.send!(keyId);
}
// So many were revoked before the signal came.
setInterval(() => {}, 1_000);

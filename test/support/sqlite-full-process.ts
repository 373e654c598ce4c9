// Adds keys until there is no room left, and then shows what still works. Prints it as JSON.
import { ApiKeyManager } from '../../src/index.js';
import { SqliteKeyStore } from '../../src/sqlite.js';

const [, , path, coldKey] = process.argv;
const store = await SqliteKeyStore.open(path!);
const keys = new ApiKeyManager({ store, lastUsedIntervalMs: 20 });
const warm = await keys.create({ user: 'alice' });
await keys.verify(warm.key);
const answered: string[] = [warm.record.keyId];
let failure = '';
while (failure === '' && answered.length < 5_000) {
  try {
    const metadata = { filler: 'x'.repeat(2_000) };
    answered.push((await keys.create({ user: 'bob', metadata })).record.keyId);
  } catch (error) {
    failure = (error as Error).message;
  }
}
const works = async (key: string) => (await keys.verify(key)).ok;
const revoked = await keys.revoke(warm.record.keyId).then(
  () => 'revoked',
  (error: unknown) => (error as Error).message,
);
// Whatever became of the revocation, the answers to requests agree with it.
const isWarm = (await works(warm.key)) === (revoked !== 'revoked');
const isCold = await works(coldKey!);
process.stdout.write(JSON.stringify({ answered, failure, revoked, isWarm, isCold }), () =>
  process.exit(0),
);

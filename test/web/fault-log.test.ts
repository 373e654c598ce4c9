import { expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, generateApiKey, MemoryKeyStore } from '../../src/index.js';
import { startDesk } from '../support/desk-app.js';

it('a store that fails behind a page, then behind a guard -> each logged under the code of its own answer, with the cause', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => log.mockRestore());
  const store = new MemoryKeyStore();
  const { ask, send } = await startDesk({ keys: new ApiKeyManager({ store }) });
  await ask('GET', 'session');
  vi.spyOn(store, 'list').mockRejectedValue(new TypeError('the list is down'));
  vi.spyOn(store, 'findByDigest').mockRejectedValue(new Error('the look-up is down'));
  expect((await ask('GET', 'keys')).json['code']).toBe('service_unavailable');
  const unknown = { headers: { 'X-API-Key': generateApiKey().key } };
  expect((await send('GET', '/hello', unknown)).json['code']).toBe('key_source_failed');
  const lines = log.mock.calls.map(([line]) => String(line));
  expect(lines).toEqual([
    expect.stringMatching(
      /^service_unavailable: the claim page or the key desk could not answer a request\n {2}caused by TypeError: the list is down\n/,
    ),
    expect.stringMatching(/^key_source_failed: [^]*the look-up is down/),
  ]);
});

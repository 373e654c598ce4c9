import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import { ApiKeyManager, keyList, MemoryKeyStore, requireApiKey } from '../../src/index.js';
import { present, shuffled } from './presented-keys.js';

/** A way to check a presented key. */
export interface Check {
  /** Puts the presented key into what it comes in. Not timed. */
  readonly wrap: (presented: string) => unknown;
  /** What is timed. */
  readonly run: (input: never) => unknown;
}

const check = (run: (presented: string) => unknown): Check => ({
  wrap: (presented) => presented,
  run,
});

/** All the ways to check, for one table of keys; each has seen every key once. */
export async function makeChecks(keys: readonly Buffer[]) {
  const texts = keys.map(present);
  const list = keyList(Object.fromEntries(texts.map((key, index) => [`user${index}`, key])));
  const manager = new ApiKeyManager({ store: new MemoryKeyStore() });
  await Promise.all(texts.map(async (key) => manager.import({ user: 'alice', key })));
  const map = new Map(texts.map((key) => [key, true]));
  // Made first to last, the last would still stand in the processor's cache; and a manager is asked
  // in no particular order.
  for (const bytes of shuffled(keys)) {
    const key = present(bytes);
    await manager.verify(key);
    await list.verify(key, undefined as never);
    map.get(key);
  }
  return {
    /** What `envKey` and `envKeyList` look up in, too. */
    keyList: check((presented) => list.verify(presented, undefined as never)),
    guard: guardCheck(requireApiKey({ source: list })),
    manager: check((presented) => manager.verify(presented)),
    // What many write, and what nobody should.
    characters: check((presented) => holdsCharacters(presented, texts[0]!)),
    equals: check((presented) => presented === texts[0]),
    loop: check((presented) => texts.find((text) => text === presented)),
    plainMap: check((presented) => map.get(presented)),
  };
}

/** The whole guard as Express calls it, answer and all, without a network. */
function guardCheck(guard: ReturnType<typeof requireApiKey>): Check {
  return {
    wrap(presented) {
      const req = new IncomingMessage(new Socket());
      req.headers = { 'x-api-key': presented };
      req.rawHeaders = ['X-API-Key', presented];
      return [req, new ServerResponse(req)];
    },
    run: ([req, res]: [Request, Response]) => guard(req, res, () => {}),
  };
}

function holdsCharacters(presented: string, key: string): boolean {
  for (let i = 0; i < key.length; i++)
    if (key.charCodeAt(i) !== presented.charCodeAt(i)) return false;
  return presented.length === key.length;
}

import { readdirSync, readFileSync } from 'node:fs';

export interface Snippet {
  /** Where it stands, as in `docs/errors.md:77`. */
  readonly place: string;
  readonly language: 'js' | 'ts';
  readonly code: string;
}

/**
 * Every fence of JavaScript and TypeScript in the README and the documents, also those within
 * lists.
 */
export function readSnippets(): Snippet[] {
  const files = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)];
  return files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return [...text.matchAll(/^( *)```(js|ts)\n([^]*?)^ *```$/gm)].map((match) => {
        const [, indent, language, code] = match;
        return {
          place: `${file}:${text.slice(0, match.index).split('\n').length}`,
          language: language as 'js' | 'ts',
          code: code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
        };
      });
    });
}

/**
 * The names that the documents use without saying where they come from; those of the library, and a
 * reader's own.
 */
export const placeholderTypes = `
import type { Express, Request, RequestHandler } from 'express';
import type * as library from 'require-api-key';
import type { PostgresKeyStore as Store } from 'require-api-key/postgres';
import type { Server } from 'node:http';
import type { Pool } from 'pg';
declare global {
  const requireApiKey: typeof library.requireApiKey;
  const requireScopes: typeof library.requireScopes;
  const apiKeyOf: typeof library.apiKeyOf;
  const envKey: typeof library.envKey;
  const ApiKeyError: typeof library.ApiKeyError;
  const ApiKeyManager: typeof library.ApiKeyManager;
  const PostgresKeyStore: typeof Store;
  const app: Express;
  const hello: RequestHandler;
  const upload: RequestHandler;
  const keys: library.ApiKeyManager;
  const keyId: string;
  const pool: Pool;
  const server: Server;
  const lookUp: (key: string) => Promise<library.Identity | undefined>;
  const directory: { findByKey(key: string): Promise<{ name: string; id: string; scopes: string[] } | undefined> };
  const users: { findByKey(key: string): Promise<{ name: string } | undefined> };
  const whoIsLoggedIn: (req: Request) => string | undefined;
}`;

/**
 * In JavaScript nobody types a message of `node:diagnostics_channel`; in TypeScript the reader has
 * to.
 */
export const untypedMessages = `
import 'node:diagnostics_channel';
declare module 'node:diagnostics_channel' {
  function subscribe(name: \`require-api-key:\${string}\`, onMessage: (message: any) => void): void;
}`;

/**
 * Loads each compiled snippet in turn, in a process of its own, and prints what went wrong with
 * which.
 */
export const runner = `
import { Server } from 'node:net';
import express from 'express';
import * as library from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';

const listen = Server.prototype.listen;
Server.prototype.listen = function () { return listen.call(this, 0, '127.0.0.1'); };
const keys = new library.ApiKeyManager({ store: new library.MemoryKeyStore() });
const nobody = async () => undefined;
const failures = {};
for (const file of JSON.parse(process.argv[2])) {
  const { record } = await keys.create({ user: 'alice' });
  Object.assign(globalThis, library, {
    PostgresKeyStore, keys, keyId: record.keyId, app: express(), lookUp: nobody, whoIsLoggedIn() {},
    hello: (req, res) => res.send('hello'), upload: (req, res) => res.send('stored'),
    server: { close() {} },
    pool: { query: async () => ({ rows: [] }) },
    directory: { findByKey: nobody }, users: { findByKey: nobody },
  });
  console.log = () => {};
  await import(file).catch((error) => (failures[file] = String(error)));
}
process.stdout.write(JSON.stringify(failures), () => process.exit(0));
`;

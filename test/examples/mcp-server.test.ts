import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import express, { type Express } from 'express';
import express4 from 'express4';
import { ApiKeyManager, generateApiKey, MemoryKeyStore } from 'require-api-key';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { mcpRoutes, withScopes } from '../../examples/recipes/mcp-server.js';

/** A server with the tools `whoami` and, for keys with `notes:write`, `note`. */
async function startServer(create: () => Express) {
  const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
  const notes: string[] = [];
  const makeServer = () => {
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    server.registerTool('whoami', { description: 'Says who calls' }, ({ authInfo }) => ({
      content: [{ type: 'text', text: JSON.stringify(authInfo) }],
    }));
    const about = { description: 'Keeps a note', inputSchema: { text: z.string() } };
    server.registerTool('note', about, ({ text }, { authInfo }) => {
      const { clientId } = withScopes(authInfo, 'notes:write');
      notes.push(`${clientId}: ${text}`);
      return { content: [{ type: 'text', text: 'kept' }] };
    });
    return server;
  };
  const app = create();
  app.use('/mcp', mcpRoutes({ source: keys, scopes: ['mcp'], makeServer }));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { keys, notes, url: new URL(`http://127.0.0.1:${port}/mcp`) };
}

/** The SDK's own client, which sends these headers. */
async function connect(url: URL, headers: Record<string, string>): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  onTestFinished(() => client.close());
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  await client.connect(transport);
  return client;
}

const textOf = (result: Awaited<ReturnType<Client['callTool']>>) =>
  (result.content as { text: string }[])[0]!.text;

const failureOf = async (attempt: Promise<unknown>) => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason as Error & { code?: number },
  );
  return { status: error?.code, message: error?.message };
};

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as unknown as typeof express],
])("an MCP server, called by the SDK's client, on %s", (_version, create) => {
  it('a good key -> the tools see its user, key id, scopes and end, and not the key', async () => {
    const { keys, url } = await startServer(create);
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { key, record } = await keys.create({ user: 'alice', scopes: ['mcp'], expiresAt });
    const client = await connect(url, { 'X-API-Key': key });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['whoami', 'note']);
    const text = textOf(await client.callTool({ name: 'whoami' }));
    expect(JSON.parse(text)).toEqual({
      token: record.keyId,
      clientId: 'alice',
      scopes: ['mcp'],
      expiresAt: Math.floor(expiresAt.getTime() / 1000),
    });
    expect(text).not.toContain(key);
  });

  it('a key in Authorization -> the same as in X-API-Key; in both headers -> refused', async () => {
    const { keys, url } = await startServer(create);
    const { key } = await keys.create({ user: 'alice', scopes: ['mcp'] });
    const bearer = { Authorization: `Bearer ${key}` };
    const client = await connect(url, bearer);
    expect(textOf(await client.callTool({ name: 'whoami' }))).toContain('alice');
    const both = await failureOf(connect(url, { ...bearer, 'X-API-Key': key }));
    expect(both.status).toBe(401);
    expect(both.message).toContain('"code":"invalid_api_key"');
  });

  it('two keys at once -> each call is told its own', async () => {
    const { keys, url } = await startServer(create);
    const calls = ['alice', 'bob'].map(async (user) => {
      const { key } = await keys.create({ user, scopes: ['mcp'] });
      const client = await connect(url, { 'X-API-Key': key });
      return Promise.all(
        Array.from({ length: 10 }, async () => {
          const { clientId } = JSON.parse(textOf(await client.callTool({ name: 'whoami' }))) as {
            clientId: string;
          };
          return clientId;
        }),
      );
    });
    expect(await Promise.all(calls)).toEqual([Array(10).fill('alice'), Array(10).fill('bob')]);
  });

  it('a wrong key, or none -> the client does not connect: 401, and the code', async () => {
    const { url } = await startServer(create);
    const wrong = await failureOf(connect(url, { 'X-API-Key': generateApiKey().key }));
    expect(wrong.status).toBe(401);
    expect(wrong.message).toContain('"code":"invalid_api_key"');
    const none = await failureOf(connect(url, {}));
    expect(none.status).toBe(401);
    expect(none.message).toContain('"code":"missing_api_key"');
  });

  it('a key that is paused, resumed and revoked while the client is connected -> holds with the next call', async () => {
    const { keys, url } = await startServer(create);
    const { key, record } = await keys.create({ user: 'alice', scopes: ['mcp'] });
    const client = await connect(url, { 'X-API-Key': key });
    const whoami = () => client.callTool({ name: 'whoami' });
    await keys.pause(record.keyId);
    const paused = await failureOf(whoami());
    expect(paused.status).toBe(403);
    expect(paused.message).toContain('"code":"paused_api_key"');
    await keys.resume(record.keyId);
    expect(textOf(await whoami())).toContain('alice');
    await keys.revoke(record.keyId);
    const revoked = await failureOf(whoami());
    expect(revoked.status).toBe(401);
    expect(revoked.message).toContain('"code":"revoked_api_key"');
  });

  it('a key without the scope of the server -> 403, and the scope', async () => {
    const { keys, url } = await startServer(create);
    const { key } = await keys.create({ user: 'alice' });
    const refused = await failureOf(connect(url, { 'X-API-Key': key }));
    expect(refused.status).toBe(403);
    expect(refused.message).toMatch(/"detail":"[^"]*mcp[^"]*".*"code":"insufficient_scope"/);
  });

  it('a key without the scope of one tool -> that tool fails and names the scope; its work is not done', async () => {
    const { keys, notes, url } = await startServer(create);
    const reader = await keys.create({ user: 'alice', scopes: ['mcp'] });
    const writer = await keys.create({ user: 'bob', scopes: ['mcp', 'notes:write'] });
    const note = { name: 'note', arguments: { text: 'milk' } };
    const refused = await (await connect(url, { 'X-API-Key': reader.key })).callTool(note);
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('notes:write');
    const kept = await (await connect(url, { 'X-API-Key': writer.key })).callTool(note);
    expect(kept.isError).toBeFalsy();
    expect(notes).toEqual(['bob: milk']);
  });
});

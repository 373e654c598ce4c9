/*
 * An MCP server over streamable HTTP. Its tools run behind API keys, and see whose key it is.
 *
 *   const makeServer = () => {
 *     const server = new McpServer({ name: 'audio', version: '1.0.0' });
 *     server.registerTool('list_audio', { description: 'Lists my audio' }, ({ authInfo }) => {
 *       const { clientId } = withScopes(authInfo, 'audio:read');
 *       return { content: [{ type: 'text', text: `What ${clientId} uploaded` }] };
 *     });
 *     return server;
 *   };
 *   app.use('/mcp', mcpRoutes({ source: keys, makeServer }));
 *
 * No session is kept, so any instance can answer any request, and each request shows its key. A key
 * that is revoked is out with the next call. If you keep sessions, compare the key id of each
 * request with that of the request that opened the session.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express, { type RequestHandler, type Router } from 'express';
import { apiKeyOf, requireApiKey, type RequireApiKeyOptions } from 'require-api-key';

declare module 'express-serve-static-core' {
  interface Request {
    auth?: AuthInfo;
  }
}

export interface McpRoutesOptions extends Pick<RequireApiKeyOptions, 'source' | 'scopes'> {
  /** Called for each request. */
  makeServer: () => McpServer;
}

export function mcpRoutes({ makeServer, ...guard }: McpRoutesOptions): Router {
  const router = express.Router();
  // SDKs differ in the header that they send a key in.
  const header = ['X-API-Key', { name: 'Authorization', scheme: 'Bearer' }];
  router.use(requireApiKey({ ...guard, header }), tellTools, express.json({ limit: '4mb' }));
  router.post('/', (req, res, next) => {
    const server = makeServer();
    const transport = new StreamableHTTPServerTransport();
    res.on('close', () => void server.close());
    server
      .connect(transport)
      .then(() => transport.handleRequest(req, res, req.body))
      .catch(next);
  });
  // Clients ask for a stream of notifications, and do without one after a 405.
  router.all('/', (_req, res) => void res.set('Allow', 'POST').sendStatus(405));
  return router;
}

/** The `authInfo` of a tool, if the key has these scopes. Otherwise the tool fails and says why. */
export function withScopes(authInfo: AuthInfo | undefined, ...scopes: string[]): AuthInfo {
  if (!authInfo) throw new Error('This tool runs behind an API key only.');
  const missing = scopes.filter((scope) => !authInfo.scopes.includes(scope));
  if (missing.length > 0) throw new Error(`This key lacks a scope: ${missing.join(' ')}`);
  return authInfo;
}

/** The SDK hands `req.auth` to the tools. It holds the key id in place of the key. */
const tellTools: RequestHandler = (req, _res, next) => {
  const { keyId, user, scopes, expiresAt } = apiKeyOf(req);
  req.auth = {
    token: keyId,
    clientId: user,
    scopes: [...scopes],
    ...(expiresAt && { expiresAt: Math.floor(expiresAt.getTime() / 1000) }),
  };
  next();
};

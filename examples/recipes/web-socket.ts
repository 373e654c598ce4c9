/*
 * WebSockets: the upgrade request is checked by the same guard as the routes, before there is a
 * connection.
 *
 *   const sockets = new WebSocketServer({ noServer: true });
 *   guardUpgrades(server, requireApiKey({ source: keys, scopes: ['live'] }), sockets);
 *   sockets.on('connection', (socket, req) => socket.send(`hello ${apiKeyOf(req).user}`));
 *
 * Programs can set the header; browsers cannot, and need a session or a ticket. A key is checked
 * when the connection opens: to end connections with their keys, ask `keys.verify` again from time
 * to time. `requireHttps` refuses everyone here: it asks Express.
 */
import { ServerResponse, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiKeyHandler } from 'require-api-key';
import type { WebSocketServer } from 'ws';

export function guardUpgrades(
  server: Server,
  guard: ApiKeyHandler,
  sockets: WebSocketServer,
): void {
  server.on('upgrade', (req, stream, head) => {
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    // The guard answers as it does on a route: with a status, a challenge and a body.
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.on('finish', () => socket.end());
    guard(req, res, (error) => {
      res.detachSocket(socket);
      if (error) socket.destroy();
      else
        sockets.handleUpgrade(req, socket, head, (client) =>
          sockets.emit('connection', client, req),
        );
    });
  });
}

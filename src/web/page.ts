import type { IncomingMessage, ServerResponse } from 'node:http';
import { assets, type AssetName } from './assets.js';
import type { Methods } from './http/route.js';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The addresses of a page: its HTML at the mount itself, its other files beside it. They hold no data and are the same for everyone. */
export function pageRoutes(html: AssetName, files: readonly AssetName[]): Map<string, Methods> {
  const routes = new Map<string, Methods>([
    ['/', { GET: (req, res) => sendFile(res, html, assets[html].replaceAll('%base%', baseOf(req))) }],
  ]);
  for (const name of files) routes.set(`/${name}`, { GET: (_req, res) => sendFile(res, name, assets[name]) });
  return routes;
}

function sendFile(res: ServerResponse, name: AssetName, text: string): void {
  res.statusCode = 200;
  res.setHeader('Content-Type', types[name.slice(name.lastIndexOf('.') + 1)]!);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/**
 * How the page refers to the files beside it. Mounted at `/claim`, it is found both there and at `/claim/`, where the same relative
 * reference means different things; and a proxy may have put a prefix before either, so absolute paths would not do.
 */
function baseOf(req: IncomingMessage & { originalUrl?: string }): string {
  const path = (req.originalUrl ?? req.url ?? '/').split('?', 1)[0]!;
  const last = path.slice(path.lastIndexOf('/') + 1);
  // It comes from the client and goes into HTML; whatever a mount is called, it is made of such characters or encoded as such.
  return /^[\w.~%-]+$/.test(last) ? `./${last}/` : './';
}

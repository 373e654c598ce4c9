import type { IncomingMessage, ServerResponse } from 'node:http';
import { assets, type AssetName } from './assets.js';
import type { Action, Methods } from './http/route.js';
import { sendText } from './http/send.js';

type ExtensionOf<Name> = Name extends `${string}.${infer Rest}` ? Rest : never;
type Extension = ExtensionOf<AssetName>;

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} satisfies Record<Extension, string>;

/**
 * The addresses of a page: its HTML at the mount itself, its other files beside it. They hold no data and are the same for everyone.
 * With `post` the mount takes that method too.
 */
export function pageRoutes(
  html: AssetName,
  files: readonly AssetName[],
  { post }: { readonly post?: Action } = {},
): Map<string, Methods> {
  const routes = new Map<string, Methods>();
  const sendPage: Action = (req, res) =>
    sendFile(res, html, assets[html].replaceAll('%base%', baseOf(req)));
  routes.set('/', { GET: sendPage, ...(post && { POST: post }) });
  for (const name of files)
    routes.set(`/${name}`, { GET: (_req, res) => sendFile(res, name, assets[name]) });
  return routes;
}

function sendFile(res: ServerResponse, name: AssetName, text: string): void {
  sendText(res, 200, types[name.slice(name.lastIndexOf('.') + 1) as Extension], text);
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

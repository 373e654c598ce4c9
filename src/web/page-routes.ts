import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
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

/** The files beside a page, each at its address. They hold no data and are the same for everyone. */
export function pageRoutes(files: readonly AssetName[]): Map<string, Methods> {
  return new Map(
    files.map((name) => [
      `/${name}`,
      { GET: (_req, res) => sendFile(res, 200, name, assets[name]) },
    ]),
  );
}

/** How a page is sent: what stands in it for `%name%`, as text in an attribute, and with which status. */
interface HtmlPageOptions {
  readonly values?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** Sends the HTML of a page, which holds no data of its reader. */
export function htmlPage(
  name: AssetName,
  { values = {}, status = 200 }: HtmlPageOptions = {},
): Action {
  const html = Object.entries(values).reduce<string>(
    (text, [key, value]) => text.replaceAll(`%${key}%`, () => escapeAttribute(value)),
    assets[name],
  );
  return (req, res) => sendFile(res, status, name, html.replaceAll('%base%', baseOf(req)));
}

/** What the store of a manager can do, for a page that leaves out the rest. */
export const listAbilities = ({ abilities }: ApiKeyManager): string =>
  Object.entries(abilities)
    .flatMap(([name, isThere]) => (isThere ? [name] : []))
    .join(' ');

const escapeAttribute = (text: string) =>
  text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);

function sendFile(res: ServerResponse, status: number, name: AssetName, text: string): void {
  sendText(res, status, types[name.slice(name.lastIndexOf('.') + 1) as Extension], text);
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

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

/** The files of a page, each at its address. They hold no data and are the same for everyone. */
export function pageRoutes(files: readonly AssetName[]): Map<string, Methods> {
  return new Map(
    files.map((name) => [
      `/${name}`,
      { GET: (_req, res) => sendFile(res, 200, name, assets[name]) },
    ]),
  );
}

/** How a page is sent: the texts for each `%name%` in attributes, and the status. */
interface HtmlPageOptions {
  readonly values?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** Sends the HTML of a page, which holds no data about the visitor. */
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

/** What the manager's store can do, for a page that leaves out the rest. */
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
 * The prefix of the page's references to its files. Mounted at `/claim`, the page is also found
 * at `/claim/`, where a relative reference means something else. A proxy may add a prefix to
 * both, so absolute paths do not work either.
 */
function baseOf(req: IncomingMessage & { originalUrl?: string }): string {
  const path = (req.originalUrl ?? req.url ?? '/').split('?', 1)[0]!;
  const last = path.slice(path.lastIndexOf('/') + 1);
  // It comes from the client and goes into HTML. The name of a mount consists of such characters,
  // plain or encoded.
  return /^[\w.~%-]+$/.test(last) ? `./${last}/` : './';
}

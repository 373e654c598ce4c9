// One better-sqlite3 of this folder, whoever imports it: scripts/nodes/better-sqlite3.js names it.
import { pathToFileURL } from 'node:url';

const found = pathToFileURL(process.env.BETTER_SQLITE3).href;

export const resolve = (specifier, context, next) =>
  next(specifier === 'better-sqlite3' ? found : specifier, context);

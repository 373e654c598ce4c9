// With `node --import`, the program and its children find this folder's better-sqlite3 and no
// node:sqlite.
import * as module from 'node:module';
import { resolve } from './resolve.js';

// Node 26 warns of `register`, and earlier versions have nothing else.
if (module.registerHooks) module.registerHooks({ resolve });
else module.register('./resolve.js', import.meta.url);

const { getBuiltinModule } = process;
process.getBuiltinModule = (id) => (id === 'node:sqlite' ? undefined : getBuiltinModule(id));

// better-sqlite3 for the tests of SQLite: 12, compiled here, on Node 20; 13, which comes compiled,
// on later ones.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { installTool, majorOf } from './matrix.js';

/**
 * Resolves to what answers, for a version of Node, the environment in which a program and its
 * children use it in place of any other driver.
 */
export async function installBetterSqlite3() {
  // Only what is compiled below runs a script.
  const folder = await installTool('better-sqlite3', '--ignore-scripts');
  if (majorOf(process.versions.node) < 22 && !runs(folder)) await compile(folder);
  return (version) => {
    const name = majorOf(version) < 22 ? 'better-sqlite3' : 'better-sqlite3-13';
    return {
      NODE_OPTIONS: `--import ${pathToFileURL(join(folder, 'use.js')).href}`,
      BETTER_SQLITE3: join(folder, 'node_modules', name, 'lib/index.js'),
      SQLITE_DRIVER: 'better-sqlite3',
    };
  };
}

/** Whether it is compiled, and for this Node. */
function runs(folder) {
  try {
    const open = `new (require('better-sqlite3'))(':memory:')`;
    execFileSync(process.execPath, ['-e', open], { cwd: folder, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function compile(folder) {
  console.log('Compiling better-sqlite3.');
  // The headers that came with Node, else those that node-gyp downloads.
  const node = dirname(dirname(process.execPath));
  const headers = existsSync(join(node, 'include/node/node.h')) ? ['--', `--nodedir=${node}`] : [];
  await promisify(execFile)('npm', ['run', '--silent', 'compile', ...headers], {
    cwd: folder,
    maxBuffer: 64 * 2 ** 20,
    // A third of the time.
    env: { ...process.env, CFLAGS: '-O0 -w', CXXFLAGS: '-O0 -w' },
  });
}

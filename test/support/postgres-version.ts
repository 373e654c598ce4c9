import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Identity } from '../../scripts/postgres/identity.js';
import { programsFor } from '../../scripts/postgres/programs.js';

/**
 * The server of the tests: a major version out of `tools/postgres-versions`, or the folder of
 * its programs, as `/usr/lib/postgresql/15/bin`. The one in `node_modules` unless set.
 */
const wanted = process.env['TEST_POSTGRES'];
const versions = resolve('tools/postgres-versions/package.json');

/** The folder of the programs of the server that this run wants. */
export async function chosenPrograms(identity: Identity, spare: string): Promise<string> {
  if (!wanted) return programsFor(identity, spare);
  if (!/^\d+$/.test(wanted)) return resolve(wanted);
  return programsFor(identity, spare, createRequire(versions).resolve(`postgres-${wanted}`));
}

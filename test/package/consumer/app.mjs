// An app in ECMAScript modules: `node app.mjs express`, or the name under which another Express is installed.
import * as library from 'require-api-key';
import * as postgres from 'require-api-key/postgres';
import * as sqlite from 'require-api-key/sqlite';
import * as testing from 'require-api-key/testing';
import * as web from 'require-api-key/web';
import { checksOf, runAll } from './checks.cjs';

const { default: express } = await import(process.argv[2]);
await runAll(checksOf({ express, library, postgres, sqlite, testing, web }));

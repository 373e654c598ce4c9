// The app under Jest in ECMAScript modules, which wants `--experimental-vm-modules`.
import express from 'express';
import express4 from 'express4';
import * as library from 'require-api-key';
import * as postgres from 'require-api-key/postgres';
import * as sqlite from 'require-api-key/sqlite';
import * as testing from 'require-api-key/testing';
import * as web from 'require-api-key/web';
import { checksOf } from './checks.cjs';

describe.each(Object.entries({ express, express4 }))('%s', (_name, createExpress) => {
  const checks = checksOf({ express: createExpress, library, postgres, sqlite, testing, web });
  for (const [title, run] of Object.entries(checks)) test(title, run);
});

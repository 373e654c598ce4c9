import express from 'express';
import { environmentGuard, floor, managedGuard } from '../micro/handlers.js';
import { FlatTable } from '../micro/flat-table.js';
import { makeKeys } from '../micro/keys.js';
import { passportMiddleware } from '../micro/peers.js';

/** So many users, wherever an app holds more than none. */
const size = 100;

const answer = (_req, res) => {
  res.json({ hello: 'world' });
};

export const appWith = (...middleware) => express().get('/', ...middleware, answer);

const headersOf = (keys) => keys.map((key) => `X-API-Key: ${key}`);

const withKeys = (create) => async () => {
  const keys = makeKeys(size);
  return { app: appWith(await create(keys)), headers: headersOf(keys) };
};

const bare = async () => ({ app: appWith(), headers: headersOf(makeKeys(size)) });

/** A handler on many keys, of which clients present some or all at random. */
const withMany =
  (create, inUse = (keys) => keys) =>
  async ({ manyKeys, fewInUse }) => {
    const keys = makeKeys(manyKeys);
    return { app: appWith(create(keys)), headers: headersOf(inUse(keys, fewInUse)) };
  };

const manyListed = (keys) => environmentGuard(keys, 'BENCH_MANY_API_KEYS');

/** With digests of 32 characters, as the library has them. */
const byHandWith = (Table, keys) => floor(keys, { Table, encoding: 'binary' });

/** Each app by its name, with the header lines that its clients send. */
export const apps = {
  bare,
  'bare again': bare,
  'an empty layer': withKeys(() => (_req, _res, next) => next()),
  'by hand': withKeys((keys) => floor(keys)),
  'guarded, environment': withKeys((keys) => environmentGuard(keys)),
  'guarded, managed': withKeys((keys) => managedGuard(keys, [])),
  'guarded, refused': async () => ({
    app: appWith(environmentGuard(makeKeys(size))),
    headers: headersOf(makeKeys(size)),
    status: 401,
  }),
  'passport-headerapikey': withKeys(passportMiddleware),
  'one listed key': async () => {
    const keys = makeKeys(1);
    return { app: appWith(environmentGuard(keys)), headers: headersOf(keys) };
  },
  'many listed keys, few in use': withMany(manyListed, (keys, few) => keys.slice(0, few)),
  'many listed keys, all in use': withMany(manyListed),
  'by hand, many keys in flat memory': withMany((keys) => byHandWith(FlatTable, keys)),
  'by hand, many keys in a Map': withMany((keys) => byHandWith(Map, keys)),
};

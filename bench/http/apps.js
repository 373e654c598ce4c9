import express from 'express';
import { environmentGuard, managedGuard } from '../micro/handlers.js';
import { makeKeys } from '../micro/keys.js';
import {
  bearerTokenMiddleware,
  betterAuthMiddleware,
  createBetterAuth,
  jwtMiddleware,
  makeBetterAuthKeys,
  makeTokens,
  passportMiddleware,
} from '../micro/peers.js';

/** So many users, wherever an app holds more than none. */
const size = 100;

const answer = (_req, res) => {
  res.json({ hello: 'world' });
};

export const appWith = (...middleware) => express().get('/', ...middleware, answer);

const withKeys = (create) => async () => {
  const keys = makeKeys(size);
  return { app: appWith(await create(keys)), headers: keys.map((key) => `X-API-Key: ${key}`) };
};

const bearer = (tokens) => tokens.map((token) => `Authorization: Bearer ${token}`);

const bare = async () => ({
  app: appWith(),
  headers: makeKeys(size).map((key) => `X-API-Key: ${key}`),
});

/** Each app by its name, with the header lines that its clients send. */
export const apps = {
  bare,
  'bare again': bare,
  'an empty layer': withKeys(() => (_req, _res, next) => next()),
  'guarded, environment': withKeys(environmentGuard),
  'guarded, managed': withKeys((keys) => managedGuard(keys, [])),
  'guarded, refused': async () => ({
    app: appWith(environmentGuard(makeKeys(size))),
    headers: makeKeys(size).map((key) => `X-API-Key: ${key}`),
    status: 401,
  }),
  'passport-headerapikey': withKeys(passportMiddleware),
  'express-bearer-token and a Map': async () => {
    const keys = makeKeys(size);
    return { app: appWith(bearerTokenMiddleware(keys)), headers: bearer(keys) };
  },
  'express-jwt (HS256)': async () => ({
    app: appWith(jwtMiddleware()),
    headers: bearer(makeTokens(size)),
  }),
  'better-auth': async () => {
    const auth = createBetterAuth();
    const keys = await makeBetterAuthKeys(auth, size);
    return {
      app: appWith(betterAuthMiddleware(auth)),
      headers: keys.map((key) => `X-API-Key: ${key}`),
    };
  },
};

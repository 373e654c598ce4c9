/*
 * A login for the demonstration: it asks for a name and believes it. NEVER use it in production.
 * There, give `userOf` the user of your own login.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import express, { Router, type Request } from 'express';
import { loginPage } from './login-page.js';
import { Problem } from './problem.js';

const COOKIE = 'audio_api_demo_login';
const LOGIN_MS = 8 * 3_600_000;

export interface DemoLogin {
  /** The form, and what it is sent to. */
  routes: Router;
  /** The name that a request is logged in with. */
  userOf: (req: Request) => string | undefined;
}

/** Logs anybody in who sits at this machine, with a signed cookie, and goes on to `next`. */
export function demoLogin(secret: string, next: string): DemoLogin {
  const userOf = (req: Request) =>
    isLocal(req) ? openToken(secret, cookieIn(req.headers.cookie)) : undefined;
  const routes = Router();
  routes.use((req, res, done) => {
    assertLocal(req);
    res.set('Cache-Control', 'no-store');
    done();
  });
  routes.get('/', (req, res) => {
    // The page has no script, and its form goes nowhere else.
    res.set(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'",
    );
    res.send(loginPage(userOf(req)));
  });
  routes.post('/', express.urlencoded({ extended: false, limit: '2kb' }), (req, res) => {
    // Another site could otherwise log its visitors in under a name of its choice.
    if ((req.get('Sec-Fetch-Site') ?? 'same-origin') !== 'same-origin') throw crossOrigin();
    const name = nameIn(req.body);
    const value = name === undefined ? '' : makeToken(secret, name);
    const attributes = { httpOnly: true, sameSite: 'lax', secure: req.secure, path: '/' } as const;
    res.cookie(COOKIE, value, { ...attributes, maxAge: value === '' ? 0 : LOGIN_MS });
    res.redirect(303, value === '' ? req.baseUrl : next);
  });
  return { routes, userOf };
}

/** The name in the form; `undefined` if its other button, to log out, was pressed. */
function nameIn(body: unknown): string | undefined {
  const { name, logout } = (body ?? {}) as Record<string, unknown>;
  if (logout !== undefined) return undefined;
  if (typeof name === 'string' && /^[^\p{Cc}]{1,64}$/u.test(name.trim())) return name.trim();
  throw new Problem({
    status: 400,
    code: 'bad_name',
    title: 'Not a name',
    detail: 'A name has 1 to 64 characters, none of them a control character.',
  });
}

function makeToken(secret: string, user: string): string {
  const content = JSON.stringify({ user, until: Date.now() + LOGIN_MS });
  const payload = Buffer.from(content).toString('base64url');
  return `${payload}.${sign(secret, payload).toString('base64url')}`;
}

function openToken(secret: string, token: string): string | undefined {
  const [payload = '', signature = ''] = token.split('.');
  const presented = Buffer.from(signature, 'base64url');
  const expected = sign(secret, payload);
  const isGenuine = presented.length === expected.length && timingSafeEqual(presented, expected);
  if (!isGenuine) return undefined;
  const content = Buffer.from(payload, 'base64url').toString();
  const { user, until } = JSON.parse(content) as { user: string; until: number };
  return until > Date.now() ? user : undefined;
}

function sign(secret: string, payload: string): Buffer {
  return createHmac('sha256', secret).update(payload).digest();
}

function cookieIn(header = ''): string {
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? '';
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * Whether the request comes from this machine, and is meant for it: a site whose name is pointed at
 * 127.0.0.1 sends a `Host` of its own.
 */
function isLocal(req: Request): boolean {
  const addresses = [req.ip ?? '', req.socket.remoteAddress ?? ''];
  const isFromHere = addresses.every((ip) => loopback.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4'));
  return isFromHere && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(req.headers.host ?? '');
}

function assertLocal(req: Request): void {
  if (isLocal(req)) return;
  throw new Problem({
    status: 403,
    code: 'local_only',
    title: 'Not from here',
    detail: 'The demo login believes any name, so it answers only the machine that it runs on.',
  });
}

function crossOrigin(): Problem {
  return new Problem({
    status: 403,
    code: 'cross_origin',
    title: 'From another site',
    detail: 'The login was sent by a page of another site.',
  });
}

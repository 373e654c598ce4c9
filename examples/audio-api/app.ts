import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import {
  type ApiKeyManager,
  apiKeyOf,
  envKey,
  envKeyList,
  requireApiKey,
  type RequireApiKeyOptions,
} from 'require-api-key';
import { claimPage, keyDesk } from 'require-api-key/web';
import { answerErrors, notFound } from './problem.js';
import {
  defaultRateLimits,
  limitFailedAttempts,
  limitRequestsPerUser,
  type RateLimits,
} from './rate-limits.js';
import { requestLog, type LogStream } from './request-log.js';
import { uploadAudio } from './upload-audio.js';
import { UploadStore } from './upload-store.js';

export interface AudioApiOptions {
  /** The folder that uploads are kept in; made when it is not there. */
  uploadsDir: string;
  /** The largest file that is taken. Default: 50 MB. */
  maxUploadBytes?: number;
  /** The keys of the public routes, kept in a database. Default: those of `source`. */
  keys?: ApiKeyManager;
  /** Where else the keys of the public routes are. Default: `INTERNAL_API_KEY` and `API_KEYS`, which may do everything. */
  source?: RequireApiKeyOptions['source'];
  limits?: Partial<RateLimits>;
  /** Where the request log goes. Default: nowhere. */
  logStream?: LogStream;
  /** How many proxies stand in front and tell the client's address. Default: 0. */
  trustedProxies?: number;
}

/** What a key needs to upload; `/hello` takes any key. */
export const UPLOAD_SCOPE = 'audio:write';

/** The whole app without a port: a test or another server can mount it. */
export function createApp(options: AudioApiOptions): Express {
  const { uploadsDir, maxUploadBytes = 50 * 1024 * 1024, logStream, trustedProxies = 0 } = options;
  const limits = { ...defaultRateLimits, ...options.limits };
  const uploads = new UploadStore(uploadsDir);
  const app = express();
  app.set('trust proxy', trustedProxies);

  // First, because a browser asks for leave without a key, and is refused by any guard that it meets before this.
  app.use(
    cors({ exposedHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'WWW-Authenticate'] }),
  );
  app.use(helmet());
  if (logStream !== undefined) app.use(requestLog(logStream));
  app.use(limitFailedAttempts(limits));

  const source = options.keys ?? options.source ?? keysOfEnvironment();
  const publicGuard = requireApiKey({ source });
  const uploadGuard = requireApiKey({ source, scopes: [UPLOAD_SCOPE] });
  const internalGuard = requireApiKey({
    header: 'X-Internal-Api-Key',
    source: envKey('INTERNAL_API_KEY'),
  });
  const perUser = limitRequestsPerUser(limits);

  app.get('/hello', publicGuard, perUser, (req, res) => {
    res.json({ message: `Hello, ${apiKeyOf(req).user}!` });
  });

  app.post('/upload-audio', uploadGuard, perUser, ...uploadAudio(uploads, maxUploadBytes));

  app.get('/_internal/jobs', internalGuard, perUser, async (_req, res) => {
    res.json({ jobs: await uploads.list() });
  });

  if (options.keys) mountHandOver(app, options.keys);

  app.use(notFound);
  app.use(answerErrors);
  return app;
}

/** Where users fetch their keys by a link, and operators see who holds which. Both pages guard themselves. */
function mountHandOver(app: Express, keys: ApiKeyManager): void {
  app.use('/claim', claimPage({ keys, apiName: 'Audio API', exampleUrl: '/hello' }));
  app.use('/keys', keyDesk({ keys, apiName: 'Audio API', knownScopes: [UPLOAD_SCOPE] }));
}

/** A key in the environment cannot say what it may do, so here each may do everything. */
function keysOfEnvironment(): NonNullable<RequireApiKeyOptions['source']> {
  const scopes = [UPLOAD_SCOPE];
  return [envKey('INTERNAL_API_KEY', { scopes }), envKeyList('API_KEYS', { scopes })];
}

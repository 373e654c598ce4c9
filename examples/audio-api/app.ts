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
import { accountPage } from './account.js';
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
  /** The folder that uploads are kept in; made if it is not there. */
  uploadsDir: string;
  /** The largest file that is taken. Default: 50 MB. */
  maxUploadBytes?: number;
  /** The keys of the public routes, in a database. Those in `API_KEYS` work beside them. */
  keys?: ApiKeyManager;
  /** Where the keys are if there is no `keys`. Default: `INTERNAL_API_KEY` and `API_KEYS`. */
  source?: RequireApiKeyOptions['source'];
  /**
   * Signs the cookie of the demo login, at least 32 characters. Default: no login, no account page.
   */
  demoLoginSecret?: string;
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

  // First: a browser's preflight carries no key, so a guard in front would refuse it.
  app.use(
    cors({ exposedHeaders: ['Retry-After', 'RateLimit', 'RateLimit-Policy', 'WWW-Authenticate'] }),
  );
  app.use(helmet());
  if (logStream !== undefined) app.use(requestLog(logStream));
  app.use(limitFailedAttempts(limits));

  const source = sourceOf(options);
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

  if (options.keys) mountPages(app, options.keys, options.demoLoginSecret);

  app.use(notFound);
  app.use(answerErrors);
  return app;
}

/** The claim page, the key desk and the account page. All guard themselves. */
function mountPages(app: Express, keys: ApiKeyManager, loginSecret?: string): void {
  app.use('/claim', claimPage({ keys, apiName: 'Audio API', exampleUrl: '/hello' }));
  app.use('/keys', keyDesk({ keys, apiName: 'Audio API', knownScopes: [UPLOAD_SCOPE] }));
  if (loginSecret !== undefined) app.use(accountPage(keys, loginSecret, [UPLOAD_SCOPE]));
}

/** A key in the environment cannot say what it may do, so here each may do everything. */
function sourceOf({ keys, source }: AudioApiOptions): NonNullable<RequireApiKeyOptions['source']> {
  const scopes = [UPLOAD_SCOPE];
  const listed = envKeyList('API_KEYS', { scopes });
  if (keys !== undefined) return [keys, listed];
  return source ?? [envKey('INTERNAL_API_KEY', { scopes }), listed];
}

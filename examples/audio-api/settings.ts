import { randomBytes } from 'node:crypto';

export interface Settings {
  port: number;
  host?: string;
  /** Where the users' keys are. Default: a SQLite file in a folder of the example's own. */
  databaseUrl?: string;
  uploadsDir: string;
  maxUploadBytes: number;
  trustedProxies: number;
  /** Signs the cookie of the demo login. Absent in production, where there is no such login. */
  demoLoginSecret?: string;
}

/**
 * Reads the settings from the environment; throws a sentence for the operator if one makes no
 * sense.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const databaseUrl = databaseUrlIn(env);
  const demoLoginSecret = demoLoginSecretIn(env);
  return {
    port: wholeNumber(env, 'PORT', 3000, 65_535),
    ...(env['HOST'] ? { host: env['HOST'] } : {}),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    uploadsDir: env['UPLOADS_DIR'] || 'uploads',
    maxUploadBytes: wholeNumber(env, 'MAX_UPLOAD_BYTES', 50 * 1024 * 1024, Number.MAX_SAFE_INTEGER),
    trustedProxies: wholeNumber(env, 'TRUSTED_PROXIES', 0, 100),
    ...(demoLoginSecret === undefined ? {} : { demoLoginSecret }),
  };
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, fallback: number, max: number): number {
  const text = env[name]?.trim();
  if (!text) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw new Error(`${name} must be a whole number from 0 to ${max}.`);
}

function databaseUrlIn(env: NodeJS.ProcessEnv): string | undefined {
  const text = env['DATABASE_URL']?.trim();
  if (!text) return undefined;
  // Never repeated: it holds a password.
  if (/^(postgres(ql)?:\/\/|file:.)/i.test(text)) return text;
  throw new Error(
    'DATABASE_URL must read postgres://user:password@host:port/database or file:keys.db.',
  );
}

/** A random one ends all logins at a restart. */
function demoLoginSecretIn(env: NodeJS.ProcessEnv): string | undefined {
  if (env['NODE_ENV'] === 'production') return undefined;
  const secret = env['DEMO_LOGIN_SECRET']?.trim() || randomBytes(32).toString('base64url');
  if (secret.length >= 32) return secret;
  throw new Error('DEMO_LOGIN_SECRET must have at least 32 characters.');
}

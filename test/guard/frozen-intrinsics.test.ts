import { expect, it, onTestFinished, vi } from 'vitest';
import { arrive, callGuards } from '../support/call-guard.js';

it('Error.stackTraceLimit that cannot be set, as under --frozen-intrinsics -> requests are refused as ever', async () => {
  const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
  onTestFinished(() => {
    Object.defineProperty(Error, 'stackTraceLimit', before);
    vi.resetModules();
  });
  Object.defineProperty(Error, 'stackTraceLimit', { ...before, writable: false });
  vi.resetModules();
  const { requireApiKey } = await import('../../src/index.js');

  expect(await callGuards([requireApiKey({ source: () => 'alice' })], arrive())).toBe(
    'missing_api_key',
  );
});

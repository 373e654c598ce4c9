/*
 * Metrics for Prometheus, from the diagnostics channels: nothing on the routes changes.
 *
 *   const registry = new Registry();
 *   countKeyUse(registry);
 *   app.get('/metrics', async (_req, res) => {
 *     res.type(registry.contentType).send(await registry.metrics());
 *   });
 *
 * No label holds a user or a key id: each of them would be a time series of its own.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ApiKeyMessage } from 'require-api-key';

/** Counts until the returned function is called. */
export function countKeyUse(registry: Registry): () => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'api_key_requests_total',
    help: 'Guarded requests by outcome; code is empty where the key was good.',
    labelNames: ['outcome', 'code', 'source'],
    registers,
  });
  const seconds = new Histogram({
    name: 'api_key_check_seconds',
    help: 'From the start of the guard to its verdict.',
    buckets: [0.0001, 0.001, 0.01, 0.1, 1, 5],
    registers,
  });
  const faults = new Counter({
    name: 'api_key_faults_total',
    help: 'Sources or configurations that failed.',
    labelNames: ['reason', 'source'],
    registers,
  });
  const reuses = new Counter({
    name: 'api_key_reuses_total',
    help: 'Attempts with a key that had been replaced.',
    registers,
  });

  const count = (outcome: string, { code, source = '', durationMs }: ApiKeyMessage) => {
    requests.inc({ outcome, code: code ?? '', source });
    if (durationMs !== undefined) seconds.observe(durationMs / 1000);
  };
  const listeners = {
    admitted: (event: unknown) => count('admitted', event as ApiKeyMessage),
    refused: (event: unknown) => count('refused', event as ApiKeyMessage),
    fault: (event: unknown) => {
      const { reason, source = '' } = event as ApiKeyMessage;
      faults.inc({ reason: reason ?? '', source });
    },
    reuse: () => reuses.inc(),
  };
  const channels = Object.entries(listeners).map(
    ([name, run]) => [`require-api-key:${name}`, run] as const,
  );
  for (const [channel, listener] of channels) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of channels) unsubscribe(channel, listener);
  };
}

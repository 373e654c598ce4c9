/*
 * OpenTelemetry: whose key it was, as attributes of the span that is active while the guard runs.
 *
 *   describeKeyInSpans(); // once, when the app starts
 *
 * Needs @opentelemetry/api alone, and does nothing where no SDK is running.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { trace } from '@opentelemetry/api';
import type { ApiKeyMessage } from 'require-api-key';

function describeEvent(message: unknown): void {
  const { user, keyId, source, code, reason } = message as ApiKeyMessage;
  const span = trace.getActiveSpan();
  if (user !== undefined) span?.setAttribute('api_key.user', user);
  if (keyId !== undefined) span?.setAttribute('api_key.id', keyId);
  if (source !== undefined) span?.setAttribute('api_key.source', source);
  if (code !== undefined) span?.setAttribute('api_key.refused', code);
  if (reason !== undefined) span?.setAttribute('api_key.reason', reason);
}

/** Describes keys until the returned function is called. */
export function describeKeyInSpans(): () => void {
  const channels = ['require-api-key:admitted', 'require-api-key:refused'];
  for (const channel of channels) subscribe(channel, describeEvent);
  return () => {
    for (const channel of channels) unsubscribe(channel, describeEvent);
  };
}

const said = new Set<string>();

/**
 * Emits a process warning, once for each `id` in the life of the process. Many guards may share one
 * mistake.
 */
export function warnOnce(message: string, id = message): void {
  if (said.has(id)) return;
  said.add(id);
  process.emitWarning(message, 'RequireApiKeyWarning');
}

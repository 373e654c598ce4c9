/**
 * Whether the operating system failed us (a full disk, say), as opposed to a client that sent
 * something unusable.
 */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

import type { Names } from '../names.js';

/**
 * One step of the schema. It runs whole or not at all. A published step never changes: every
 * later change, even of a trigger, is another step.
 */
export interface Migration {
  readonly version: number;
  /**
   * Statements for the body of a PL/pgSQL block: the whole step in one statement that any client
   * can send.
   */
  readonly sql: (names: Names) => string;
}

import type { Names } from '../names.js';

/**
 * One step of the schema. It runs whole or not at all, and never changes once it is published: what has to be different from then on, a
 * trigger too, is another step.
 */
export interface Migration {
  readonly version: number;
  /** Statements for the body of a PL/pgSQL block: all that a step needs, in one statement that any client can send. */
  readonly sql: (names: Names) => string;
}

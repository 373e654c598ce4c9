import { Failure } from '../failure.js';

/** A database that cannot be used, and what to do about it. */
export class DatabaseFailure extends Failure {
  override readonly name = 'DatabaseFailure';
  readonly what: string;
  readonly remedy: string | undefined;

  constructor(what: string, remedy: string | undefined, options?: ErrorOptions) {
    super(remedy === undefined ? what : `${what}; ${remedy}`, options);
    this.what = what;
    this.remedy = remedy;
  }
}

/** A failure that needs no stack trace. Its message is one sentence, and all that is printed. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  /** 1: it failed. 2: it was used wrongly. 129, 130 or 143: a signal stopped it. */
  readonly exitCode: number;

  constructor(
    message: string,
    { exitCode = 1, ...options }: ErrorOptions & { exitCode?: number } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line, or what it names, is wrong. */
export class Misuse extends Failure {
  override readonly name = 'Misuse';

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: 2 });
  }
}

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

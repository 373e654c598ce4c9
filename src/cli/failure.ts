/**
 * Something that was expected to go wrong: its message, one sentence, is all that is said of it.
 */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  /** 1: it could not be done. 2: it makes no sense. 130: the user stopped it. */
  readonly exitCode: number;

  constructor(
    message: string,
    { exitCode = 1, ...options }: ErrorOptions & { exitCode?: number } = {},
  ) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What was asked for makes no sense as it was written. */
export class Misuse extends Failure {
  override readonly name = 'Misuse';

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, exitCode: 2 });
  }
}

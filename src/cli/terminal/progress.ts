export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

const silent: Progress = { update() {}, stop() {} };

/** A progress bar on stderr if that is a terminal. Nothing in a pipe or a log. */
async function startProgress(what: string): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const { Presets, SingleBar } = await import('cli-progress');
  const bar = new SingleBar(
    {
      format: `${what} {bar} {percentage}% | {value}/{total}`,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: null,
      gracefulExit: false,
      barsize: 24,
    },
    Presets.shades_classic,
  );
  let isStarted = false;
  return {
    update(done, total) {
      if (!isStarted) bar.start(total, done);
      else bar.update(done);
      isStarted = true;
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}

export async function withProgress<Result>(
  what: string,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  const progress = await startProgress(what);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}

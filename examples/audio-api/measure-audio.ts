import { parseFile } from 'music-metadata';
import { isSystemError } from './is-system-error.js';
import { Problem } from './problem.js';

export interface AudioFacts {
  /** The container, such as `WAVE`, `MPEG` or `Ogg`. */
  format: string;
  codec: string | null;
  durationSeconds: number;
  sampleRateHz: number | null;
  channels: number | null;
}

/**
 * Reads what the file itself says; its name and its declared type are the client's word and count
 * for nothing.
 *
 * The path must not end in an audio extension: the parser would then believe it.
 */
export async function measureAudio(path: string): Promise<AudioFacts> {
  const { container, codec, duration, sampleRate, numberOfChannels, hasAudio } = await parse(path);
  // A header that makes no sense can yield an infinite duration, and a video without sound has one
  // too.
  const isMeasured = duration !== undefined && Number.isFinite(duration) && duration > 0;
  if (!isMeasured || container === undefined || hasAudio === false) throw notAudio();
  return {
    format: container,
    codec: codec ?? null,
    durationSeconds: Math.round(duration * 1000) / 1000,
    sampleRateHz: sampleRate ?? null,
    channels: numberOfChannels ?? null,
  };
}

async function parse(path: string) {
  try {
    return (await parseFile(path, { duration: true, skipCovers: true })).format;
  } catch (error) {
    if (isSystemError(error)) throw error;
    throw notAudio();
  }
}

function notAudio(): Problem {
  return new Problem({
    status: 415,
    code: 'not_audio',
    title: 'Not audio',
    detail:
      'The file could not be read as audio. Its content decides, not its name or its declared type.',
  });
}

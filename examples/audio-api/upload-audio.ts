import { rm } from 'node:fs/promises';
import type { RequestHandler } from 'express';
import multer, { MulterError } from 'multer';
import { apiKeyOf } from 'require-api-key';
import { isSystemError } from './is-system-error.js';
import { measureAudio } from './measure-audio.js';
import { Problem } from './problem.js';
import type { UploadStore } from './upload-store.js';

/** Room for the multipart frame and the text fields around the file. */
const FRAME_BYTES = 64 * 1024;

/**
 * Receives one audio file in the field `audio`, measures it and keeps it. Goes behind the guard.
 */
export function uploadAudio(uploads: UploadStore, maxBytes: number): RequestHandler[] {
  return [refuseWithoutReading(maxBytes), receiveFile(uploads, maxBytes), keepAudio(uploads)];
}

/** What the headers already tell needs no upload to be refused. */
function refuseWithoutReading(maxBytes: number): RequestHandler {
  return (req, _res, next) => {
    if (!req.is('multipart/form-data')) {
      throw new Problem({
        status: 415,
        code: 'not_multipart',
        title: 'Not a multipart upload',
        detail: 'Send the file as multipart/form-data, in the field "audio".',
      });
    }
    if (Number(req.headers['content-length'] ?? 0) > maxBytes + FRAME_BYTES)
      throw tooLarge(maxBytes);
    next();
  };
}

function receiveFile(uploads: UploadStore, maxBytes: number): RequestHandler {
  const receive = multer({
    storage: multer.diskStorage({
      destination: uploads.dir,
      filename: (_req, _file, done) => done(null, uploads.newPartName()),
    }),
    limits: { files: 1, fileSize: maxBytes, fields: 10, fieldSize: 1024 },
    defParamCharset: 'utf8',
  }).single('audio');

  return (req, res, next) => {
    void receive(req, res, (error: unknown) => {
      if (error === undefined) next();
      else next(asUploadProblem(error, maxBytes));
    });
  };
}

function keepAudio(uploads: UploadStore): RequestHandler {
  return async (req, res) => {
    if (req.file === undefined) throw wrongForm();
    const { path, originalname, size } = req.file;
    const { user, keyId } = apiKeyOf(req);
    try {
      const facts = await measureAudio(path);
      const filename = originalname.slice(0, 255);
      const upload = await uploads.keep(path, {
        filename,
        bytes: size,
        ...facts,
        uploadedBy: { user, keyId },
      });
      res.status(201).json(upload);
    } finally {
      await rm(path, { force: true });
    }
  };
}

function asUploadProblem(error: unknown, maxBytes: number): unknown {
  if (isSystemError(error)) return error;
  if (!(error instanceof MulterError)) {
    return new Problem({
      status: 400,
      code: 'bad_multipart',
      title: 'Broken multipart body',
      detail: 'The multipart body could not be read to its end.',
    });
  }
  return error.code === 'LIMIT_FILE_SIZE' ? tooLarge(maxBytes) : wrongForm();
}

function tooLarge(maxBytes: number): Problem {
  return new Problem({
    status: 413,
    code: 'file_too_large',
    title: 'File too large',
    detail: `A file may hold at most ${maxBytes} bytes.`,
  });
}

function wrongForm(): Problem {
  return new Problem({
    status: 400,
    code: 'missing_audio',
    title: 'No audio file',
    detail: 'Send exactly one file, in the multipart field "audio".',
  });
}

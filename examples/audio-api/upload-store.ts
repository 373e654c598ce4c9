import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AudioFacts } from './measure-audio.js';

export interface Upload extends AudioFacts {
  id: string;
  /** What the client called it: shown, never used as a path. */
  filename: string;
  bytes: number;
  uploadedAt: string;
  uploadedBy: { user: string; keyId: string };
}

/**
 * Keeps each upload as `<id>.audio` with its facts beside it in `<id>.json`.
 *
 * One file of facts for each upload, so that uploads at the same time have nothing to overwrite,
 * and the list survives a restart. What ends in `.part` is not finished.
 */
export class UploadStore {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = resolve(dir);
    mkdirSync(this.dir, { recursive: true });
  }

  /** A name to receive a file under: random, so that no client can choose or guess a path. */
  newPartName(): string {
    return `${randomUUID()}.part`;
  }

  async keep(partPath: string, facts: Omit<Upload, 'id' | 'uploadedAt'>): Promise<Upload> {
    const upload: Upload = { id: randomUUID(), uploadedAt: new Date().toISOString(), ...facts };
    const audioPath = join(this.dir, `${upload.id}.audio`);
    const factsPath = join(this.dir, `${upload.id}.json`);
    try {
      await rename(partPath, audioPath);
      // Renamed into place when complete, so that a list read meanwhile finds all of it or nothing.
      await writeFile(`${factsPath}.part`, `${JSON.stringify(upload, null, 2)}\n`);
      await rename(`${factsPath}.part`, factsPath);
    } catch (error) {
      await Promise.all([audioPath, `${factsPath}.part`].map((path) => rm(path, { force: true })));
      throw error;
    }
    return upload;
  }

  /** All uploads, the newest first. */
  async list(): Promise<Upload[]> {
    const names = (await readdir(this.dir)).filter((name) => name.endsWith('.json'));
    const uploads = await Promise.all(names.map((name) => this.#read(name)));
    return uploads
      .filter((upload) => upload !== undefined)
      .toSorted((a, b) => b.uploadedAt.localeCompare(a.uploadedAt));
  }

  async #read(name: string): Promise<Upload | undefined> {
    try {
      return JSON.parse(await readFile(join(this.dir, name), 'utf8')) as Upload;
    } catch {
      // Deleted meanwhile, or edited by hand into something else: no reason to hide the others.
      return undefined;
    }
  }
}

#!/usr/bin/env node
// Greets the audio API and, with a file, uploads it:  API_KEY=... node client.js [audio-file]
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

const baseUrl = process.env.BASE_URL || 'http://localhost:3000';
const apiKey = process.env.API_KEY;
const [audioFile] = process.argv.slice(2);

class Failure extends Error {}

async function call(path, options = {}) {
  let response;
  try {
    // A redirect would take the key along, to whatever host it names.
    response = await fetch(baseUrl + path, {
      ...options,
      headers: { 'X-API-Key': apiKey },
      redirect: 'error',
    });
  } catch (error) {
    // The message is left out on purpose: for a key that no header can carry it holds the key.
    throw new Failure(`Could not call ${baseUrl}${path} (${error.cause?.code ?? error.name}).`);
  }
  const answer = await response.text();
  if (!response.ok) throw new Failure(`Refused with ${response.status}: ${reason(answer)}`);
  console.log(answer);
}

function reason(answer) {
  try {
    return JSON.parse(answer).detail ?? answer;
  } catch {
    return answer;
  }
}

async function upload(file) {
  const form = new FormData();
  try {
    form.set('audio', new Blob([await readFile(file)]), basename(file));
  } catch (error) {
    throw new Failure(`Cannot read ${file} (${error.code}).`);
  }
  await call('/upload-audio', { method: 'POST', body: form });
}

try {
  if (!apiKey) throw new Failure('Set API_KEY to your API key.');
  await call('/hello');
  if (audioFile !== undefined) await upload(audioFile);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

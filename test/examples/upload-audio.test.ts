import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateApiKey, keyList } from 'require-api-key';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AudioApiOptions, createApp } from '../../examples/audio-api/app.js';
import { makeTone, tone, tonePath } from '../fixtures/make-tone.js';
import { eventually, expectProblem, filesIn, temporaryFolder } from '../support/audio-api.js';

const alice = generateApiKey().key;

function setUp(options: Partial<AudioApiOptions> = {}) {
  const { uploadsDir = temporaryFolder() } = options;
  const app = createApp({
    uploadsDir,
    source: keyList({ alice }, { scopes: ['audio:write'] }),
    ...options,
  });
  const upload = () => request(app).post('/upload-audio').set('X-API-Key', alice);
  return { app, uploadsDir, upload };
}

describe('what is accepted', () => {
  it('the tone -> 201 with its true facts, and the file is kept', async () => {
    const { upload, uploadsDir } = setUp();
    const response = await upload().attach('audio', tonePath);
    expect(response.status).toBe(201);
    const { id, uploadedAt, ...facts } = response.body as Record<string, unknown>;
    expect(facts).toEqual({
      filename: 'tone.wav',
      bytes: 48_044,
      format: 'WAVE',
      codec: 'PCM',
      durationSeconds: tone.seconds,
      sampleRateHz: tone.sampleRateHz,
      channels: tone.channels,
      uploadedBy: { user: 'alice', keyId: 'alice#1' },
    });
    expect(Math.abs(Date.parse(String(uploadedAt)) - Date.now())).toBeLessThan(60_000);
    expect(filesIn(uploadsDir)).toEqual([`${String(id)}.audio`, `${String(id)}.json`]);
    expect(readFileSync(join(uploadsDir, `${String(id)}.audio`)).equals(makeTone())).toBe(true);
  });

  it.each([
    ['audio called .txt and declared as text', 'notes.txt', 'text/plain'],
    ['audio called by the name of a picture', 'cat.png', 'image/png'],
    ['audio with another audio ending', 'song.mp3', 'audio/mpeg'],
  ])('%s -> its content decides', async (_, filename, contentType) => {
    const { upload } = setUp();
    const response = await upload().attach('audio', makeTone(), { filename, contentType });
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ filename, format: 'WAVE', durationSeconds: 1.5 });
  });

  it('a header that promises an hour -> the duration of what really came', async () => {
    const lying = makeTone();
    lying.writeUInt32LE(3600 * 32_000, 40);
    const response = await setUp().upload().attach('audio', lying, 'long.wav');
    expect(response.body).toMatchObject({ durationSeconds: 1.5 });
  });

  it('a name beyond ASCII -> kept as it is', async () => {
    const response = await setUp().upload().attach('audio', makeTone(), 'Tön – 音.wav');
    expect(response.body).toMatchObject({ filename: 'Tön – 音.wav' });
  });

  it('a name that climbs out of the folder -> stays a name', async () => {
    const folder = temporaryFolder();
    const { upload } = setUp({ uploadsDir: join(folder, 'deep', 'uploads') });
    const body = Buffer.concat([
      Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="audio"; filename="../../evil.wav"\r\n\r\n',
      ),
      makeTone(),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const response = await upload()
      .set('Content-Type', 'multipart/form-data; boundary=b')
      .send(body);
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ filename: 'evil.wav' });
    expect(filesIn(folder)).toEqual(['deep']);
    expect(filesIn(join(folder, 'deep'))).toEqual(['uploads']);
  });

  it('a file of exactly the limit -> 201', async () => {
    const { upload } = setUp({ maxUploadBytes: makeTone().length });
    await upload().attach('audio', tonePath).expect(201);
  });

  it('twenty uploads at once -> all are kept and listed', async () => {
    const { upload, uploadsDir } = setUp();
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        upload().attach('audio', makeTone(), `${number}.wav`),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(filesIn(uploadsDir)).toHaveLength(40);
    expect(new Set(responses.map(({ body }) => (body as { id: string }).id)).size).toBe(20);
  });
});

describe('what is refused leaves no file', () => {
  it.each<[string, Buffer]>([
    ['text', Buffer.from('This is only text, and quite some of it. '.repeat(100))],
    [
      'a PNG',
      Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
    ],
    ['an empty file', Buffer.alloc(0)],
    ['a WAVE header and no samples', makeTone().subarray(0, 44)],
    ['a WAVE header cut short', makeTone().subarray(0, 30)],
    [
      'an ID3 tag and no music',
      Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0'), Buffer.alloc(2000)]),
    ],
    [
      'another kind of RIFF',
      Buffer.concat([Buffer.from('RIFF\xff\0\0\0WEBPVP8 ', 'latin1'), Buffer.alloc(500)]),
    ],
    ['a WAVE whose samples are of no size', zeroBlockAlign()],
    ['a video without sound', silentVideo()],
  ])('%s called .wav and declared as audio -> 415', async (_, content) => {
    const { upload, uploadsDir } = setUp();
    const response = await upload().attach('audio', content, {
      filename: 'music.wav',
      contentType: 'audio/wav',
    });
    expectProblem(response, 415, 'not_audio');
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('one byte past the limit -> 413', async () => {
    const { upload, uploadsDir } = setUp({ maxUploadBytes: makeTone().length - 1 });
    expectProblem(await upload().attach('audio', tonePath), 413, 'file_too_large');
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('a declared length past the limit -> 413 before the body has come', async () => {
    const { app, uploadsDir } = setUp({ maxUploadBytes: 1000 });
    const client = await connectTo(app);
    client.write(uploadHead({ contentLength: 10_000_000 }));
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('a body without a declared length that passes the limit -> 413', async () => {
    const { app, uploadsDir } = setUp({ maxUploadBytes: 1000 });
    const client = await connectTo(app);
    client.write(uploadHead() + chunk(partHead) + chunk('x'.repeat(500_000)) + '0\r\n\r\n');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('the file in another field -> 400', async () => {
    const { upload, uploadsDir } = setUp();
    expectProblem(await upload().attach('file', tonePath), 400, 'missing_audio');
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('two files -> 400', async () => {
    const { upload, uploadsDir } = setUp();
    const response = await upload().attach('audio', tonePath).attach('audio', tonePath);
    expectProblem(response, 400, 'missing_audio');
    expect(filesIn(uploadsDir)).toEqual([]);
  });

  it('text in the field instead of a file -> 400', async () => {
    expectProblem(await setUp().upload().field('audio', 'la la la'), 400, 'missing_audio');
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x'],
    [
      'no end',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\nabc',
    ],
    ['nothing in it', 'multipart/form-data; boundary=b', ''],
  ])('multipart with %s -> 400', async (_, contentType, body) => {
    const { upload, uploadsDir } = setUp();
    expectProblem(await upload().set('Content-Type', contentType).send(body), 400, 'bad_multipart');
    await eventually(() => filesIn(uploadsDir).length === 0, 'the folder is empty');
  });

  it.each(['application/json', 'audio/wav', 'multipart/mixed; boundary=b'])(
    '%s -> 415',
    async (contentType) => {
      expectProblem(
        await setUp().upload().set('Content-Type', contentType).send('{}'),
        415,
        'not_multipart',
      );
    },
  );

  it('no body at all -> 415', async () => {
    expectProblem(await setUp().upload(), 415, 'not_multipart');
  });

  it('a bad key and the head of an upload -> 401 while the body is still to come', async () => {
    const { app, uploadsDir } = setUp();
    const client = await connectTo(app);
    client.write(uploadHead({ contentLength: 10_000_000, key: generateApiKey().key }) + partHead);
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    client.write('x'.repeat(100_000));
    await delay(100);
    expect(filesIn(uploadsDir)).toEqual([]);
  });
});

describe('a client that hangs up', () => {
  it('in the middle of the file -> no file is left and the next upload works', async () => {
    const { app, upload, uploadsDir } = setUp();
    const client = await connectTo(app);
    client.write(uploadHead({ contentLength: 10_000_000 }) + partHead + 'x'.repeat(200_000));
    await eventually(() => filesIn(uploadsDir).length === 1, 'the upload is under way');
    client.destroy();
    await eventually(() => filesIn(uploadsDir).length === 0, 'the file is gone');
    await upload().attach('audio', tonePath).expect(201);
  });

  it('at any moment, forty times at once -> no file is left and no error escapes', async () => {
    const escaped: unknown[] = [];
    const note = (reason: unknown) => escaped.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const { app, upload, uploadsDir } = setUp();
    const clients = await Promise.all(Array.from({ length: 40 }, () => connectTo(app)));
    await Promise.all(
      clients.map(async (client, number) => {
        const head = uploadHead({ contentLength: 10_000_000 });
        const sent = [
          head,
          head + partHead.slice(0, 20),
          head + partHead,
          head + partHead + 'x'.repeat(70_000),
        ];
        client.write(sent[number % 4] ?? head);
        await delay(number);
        client.destroy();
      }),
    );
    await delay(200);
    await eventually(() => filesIn(uploadsDir).length === 0, 'the folder is empty');
    expect(escaped).toEqual([]);
    await upload().attach('audio', tonePath).expect(201);
  });
});

function zeroBlockAlign(): Buffer {
  const wav = makeTone();
  wav.writeUInt16LE(0, 32);
  return wav;
}

function element(id: string, ...content: Buffer[]): Buffer {
  const payload = Buffer.concat(content);
  return Buffer.concat([Buffer.from(id, 'hex'), Buffer.from([0x80 | payload.length]), payload]);
}

/** A WebM file that declares a length of 1.5 s and one track, of pictures. */
function silentVideo(): Buffer {
  const milliseconds = Buffer.alloc(4);
  milliseconds.writeFloatBE(1500);
  const info = element(
    '1549a966',
    element('2ad7b1', Buffer.from('0f4240', 'hex')),
    element('4489', milliseconds),
  );
  const isVideo = element('83', Buffer.from([1]));
  const track = element(
    'ae',
    element('d7', Buffer.from([1])),
    isVideo,
    element('86', Buffer.from('V_VP8')),
  );
  return Buffer.concat([
    element('1a45dfa3', element('4282', Buffer.from('webm'))),
    element('18538067', info, element('1654ae6b', track)),
  ]);
}

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const partHead = '--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n';

function uploadHead({
  contentLength,
  key = alice,
}: { contentLength?: number; key?: string } = {}): string {
  const length =
    contentLength === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${contentLength}`;
  const type = 'Content-Type: multipart/form-data; boundary=b';
  return `POST /upload-audio HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\n${type}\r\n${length}\r\n\r\n`;
}

async function connectTo(app: RequestListener) {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

// Presents well-formed keys that nobody was given, one after the other on each of some connections.
import { Agent, get } from 'node:http';
import { generateApiKey } from '../library.js';

const { port, connections, durationMs } = JSON.parse(process.argv[2]);

const agent = new Agent({ keepAlive: true, maxSockets: connections });
const endAt = performance.now() + durationMs;
let answered = 0;

const present = () =>
  new Promise((resolve, reject) => {
    get({ port, agent, headers: { 'X-API-Key': generateApiKey().key } }, (res) => {
      if (res.statusCode !== 401) reject(new Error(`a made-up key was answered ${res.statusCode}`));
      res.resume().once('end', resolve);
    }).once('error', reject);
  });

const goOn = async () => {
  while (performance.now() < endAt) {
    await present();
    answered++;
  }
};
await Promise.all(Array.from({ length: connections }, goOn));
process.send({ perSecond: answered / (durationMs / 1_000) }, () => process.exit());

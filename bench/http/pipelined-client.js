// Sends a hundred pipelined requests to one server, awaits their answers, then a hundred to the
// other, and so on until it is ended.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const { servers, block } = JSON.parse(process.argv[2]);

const start = 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n';

async function open({ port, file, headerLength, status = 200 }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  // All header lines one after the other, each as long as the others.
  const headers = readFileSync(file);
  const count = headers.length / headerLength;
  const request = Buffer.from(`${start}${' '.repeat(headerLength)}\r\n\r\n`);
  const requests = Buffer.concat(Array.from({ length: block }, () => request));
  /** Presents one of the keys, at random, in each request. */
  const present = () => {
    for (let at = start.length; at < requests.length; at += request.length) {
      const from = headerLength * Math.floor(Math.random() * count);
      headers.copy(requests, at, from, from + headerLength);
    }
  };
  present();
  const learn = new Promise((resolve) => socket.once('data', resolve));
  socket.write(requests.subarray(0, request.length));
  const answer = String(await learn);
  if (!answer.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`unexpected answer: ${answer}`);
  // Answers differ in nothing but the date, so that they need only be counted by their bytes.
  const answerBytes = answer.length;
  let missing = 0;
  let done;
  socket.on('data', (data) => {
    missing -= data.length;
    if (missing === 0) done();
    else if (missing < 0) throw new Error('an answer of another length');
  });
  return () =>
    new Promise((resolve) => {
      done = resolve;
      missing = block * answerBytes;
      present();
      socket.write(requests);
    });
}

const senders = [];
for (const server of servers) senders.push(await open(server));
for (;;) {
  // In any order: else a collector that comes every so many requests might meet the same app each
  // time.
  if (Math.random() < 0.5) senders.reverse();
  for (const send of senders) await send();
}

// Keeps some connections busy, each with one request at a time, in turns of so many milliseconds or
// requests, as it is told.
import { once } from 'node:events';
import { connect } from 'node:net';
import { quantile } from '../report/statistics.js';

process.on('message', (turn) => void take(turn));

async function take(turn) {
  try {
    process.send(await run(turn));
  } catch (error) {
    process.send({ error: String(error) });
  }
}

async function run({
  port,
  headers,
  status = 200,
  connections,
  durationMs = Infinity,
  requests = Infinity,
}) {
  const endAt = performance.now() + durationMs;
  const latencies = [];
  let sent = 0;
  const mayGoOn = () => sent < requests && performance.now() < endAt;
  const startedAt = performance.now();
  const ask = async () => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    let answered;
    let failed;
    socket.on('error', (error) => failed?.(error));
    // A server that answers nothing must not hold up the whole run.
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => answered(data));
    while (mayGoOn()) {
      const header = headers[Math.floor(Math.random() * headers.length)];
      sent++;
      const before = performance.now();
      const data = await new Promise((resolve, reject) => {
        answered = resolve;
        failed = reject;
        socket.write(
          `GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n${header}\r\n\r\n`,
        );
      });
      latencies.push(performance.now() - before);
      // "HTTP/1.1 200": the answers are so short that each arrives in one piece.
      if (Number(data.latin1Slice(9, 12)) !== status) throw new Error(String(data));
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, ask));
  const tookMs = performance.now() - startedAt;
  return {
    requests: latencies.length,
    perSecond: latencies.length / (tookMs / 1_000),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

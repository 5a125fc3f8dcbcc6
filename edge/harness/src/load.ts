/** Sends requests as fast as answers come, over raw sockets: an HTTP client would cost more than what is measured. */

import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** What a run of requests came to. */
export interface Load {
  readonly perS: number;
  /** Milliseconds from request to answer. */
  readonly p50: number;
  readonly p99: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Sends `count` requests to `url` over `connections`, in turn with the keys `key-0` to `key-(keys - 1)`. */
export async function load(url: URL, count: number, connections: number, keys: number): Promise<Load> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let sent = 0;
  const begin = performance.now();
  const next = () => (sent < count ? `key-${sent++ % keys}` : undefined);
  const answered = (status: string, ms: number) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies.push(ms);
  };
  await Promise.all(Array.from({ length: connections }, () => converse(url, next, answered)));
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor((latencies.length - 1) * q)] ?? Number.NaN;
  return { perS: count / seconds, p50: quantile(0.5), p99: quantile(0.99), statuses };
}

function converse(url: URL, next: () => string | undefined, answered: (status: string, ms: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(url.port), url.hostname);
    let received = "";
    let since = 0;
    const send = () => {
      const key = next();
      if (key === undefined) {
        socket.end();
        resolve();
        return;
      }
      since = performance.now();
      socket.write(`GET / HTTP/1.1\r\nhost: ${url.host}\r\nx-api-key: ${key}\r\n\r\n`);
    };
    socket.setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      if (!isWhole(received)) return;
      answered(received.slice(9, 12), performance.now() - since);
      received = "";
      send();
    });
  });
}

/** Whether an answer is complete, by its length or its last chunk. */
function isWhole(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) return text.length >= head + 4 + Number(length);
  return text.endsWith("0\r\n\r\n");
}

/** An origin of finite capacity: beyond what it can serve, requests wait, and beyond what can wait they are refused. */

import { type Listening, listen } from "../loopback.ts";

/** What an origin can serve; the engine's `[[planner.origins]]` says the same. */
export interface Capacity {
  /** Requests per second that it serves for ever. */
  readonly sustainedPerS: number;
  /** Requests that it serves at once on top, once rested. */
  readonly burst: number;
}

/** Requests by what became of them. */
export interface Served {
  readonly served: number;
  readonly refused: number;
}

/** An origin that listens. */
export interface FiniteOrigin extends Listening {
  readonly counts: () => Served;
}

/** What a request takes that does not wait. */
const SERVICE_MS = 10;
/** Longest wait for a turn; who would wait longer is answered 503. */
const LONGEST_WAIT_MS = 1_000;

/** Starts an origin, rested. */
export async function startOrigin(capacity: Capacity): Promise<FiniteOrigin> {
  const queue = new Queue(capacity);
  let served = 0;
  let refused = 0;
  const server = await listen((_, response) => {
    const wait = queue.enter(performance.now());
    if (wait === undefined) {
      refused += 1;
      response.writeHead(503, { "content-length": 0 }).end();
      return;
    }
    served += 1;
    setTimeout(() => response.writeHead(200, { "content-length": 2 }).end("ok"), wait + SERVICE_MS);
  });
  return { ...server, counts: () => ({ served, refused }) };
}

/** Turns, one every 1 / sustained seconds; a rested queue has `burst` turns saved up. */
export class Queue {
  /** When the next turn is free, reckoned without the turns saved up. */
  #freeMs = Number.NEGATIVE_INFINITY;
  readonly #everyMs: number;
  readonly #savedMs: number;

  constructor({ sustainedPerS, burst }: Capacity) {
    this.#everyMs = 1000 / sustainedPerS;
    this.#savedMs = burst * this.#everyMs;
  }

  /** Milliseconds that a request at `nowMs` waits for its turn; `undefined` when it would be too long. */
  enter(nowMs: number): number | undefined {
    const free = Math.max(this.#freeMs, nowMs - this.#savedMs) + this.#everyMs;
    const wait = Math.max(0, free - nowMs);
    if (wait > LONGEST_WAIT_MS) return undefined;
    this.#freeMs = free;
    return wait;
  }
}

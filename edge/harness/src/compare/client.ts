/** Clients that try again: with back-off, and not before `Retry-After`. */

import type { Arrival } from "./timetable.ts";

/** What became of a request. */
export interface Outcome extends Arrival {
  /** Statuses of its attempts, in order; 0 where there was no answer. */
  readonly statuses: readonly number[];
  /** Milliseconds from when it was due to its last answer. */
  readonly latencyMs: number;
  readonly isServed: boolean;
}

const MOST_ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;
const DEADLINE_MS = 10_000;

/** The API key of the client whose requests are those of `bucket`. */
export function keyOf(bucket: number): string {
  return `client-${bucket}`;
}

/** Sends the request of `arrival`, due at `dueMs` by `performance.now()`, to `url`, until it is served or given up. */
export async function ask(url: URL, arrival: Arrival, dueMs: number): Promise<Outcome> {
  const statuses: number[] = [];
  for (;;) {
    const { status, retryAfterMs } = await attempt(url, keyOf(arrival.bucket), statuses.length);
    statuses.push(status);
    const isServed = status === 200;
    if (isServed || statuses.length === MOST_ATTEMPTS) return { ...arrival, statuses, latencyMs: performance.now() - dueMs, isServed };
    const backOffMs = FIRST_WAIT_MS * 2 ** (statuses.length - 1) * (0.5 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, Math.max(retryAfterMs, backOffMs)));
  }
}

async function attempt(url: URL, key: string, retry: number): Promise<{ status: number; retryAfterMs: number }> {
  const headers = { "x-api-key": key, ...(retry > 0 ? { "x-retry-attempt": String(retry) } : {}) };
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(DEADLINE_MS) });
    await response.arrayBuffer();
    return { status: response.status, retryAfterMs: Number(response.headers.get("retry-after") ?? 0) * 1000 };
  } catch {
    return { status: 0, retryAfterMs: 0 };
  }
}

/** Sends every arrival when it is due, `beginMs` being the start by `performance.now()`; ends once all have their outcome. */
export async function sendAll(arrivals: readonly Arrival[], beginMs: number, urlOf: (node: number) => URL): Promise<Outcome[]> {
  const asked: Promise<Outcome>[] = [];
  for (const arrival of arrivals) {
    const dueMs = beginMs + arrival.ms;
    const early = dueMs - performance.now();
    // A timer is not exact to less; what is due by then leaves in one go.
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    asked.push(ask(urlOf(arrival.node), arrival, dueMs));
  }
  return Promise.all(asked);
}

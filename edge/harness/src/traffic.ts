/** Requests of one client at a rate that can be changed, whatever the answers are. */

/** How often it looks whether a request is due. */
const EVERY_MS = 10;

/** A client that sends until it is stopped. */
export interface Traffic {
  /** Requests per second from now on. */
  rate: (perS: number) => void;
  /** Answers by status since the last call. */
  readonly drain: () => Record<number, number>;
  /** Sends no more, and waits for the answers that are outstanding. */
  readonly stop: () => Promise<void>;
}

/** Sends requests with `key` to `url`, `perS` of them a second. */
export function startTraffic(url: URL, key: string, perS: number): Traffic {
  let current = perS;
  let due = 0;
  let last = performance.now();
  let answers: Record<number, number> = {};
  const outstanding = new Set<Promise<void>>();
  const send = async () => {
    const response = await fetch(url, { headers: { "x-api-key": key } }).catch(() => undefined);
    await response?.arrayBuffer();
    const status = response?.status ?? 0;
    answers[status] = (answers[status] ?? 0) + 1;
  };
  const timer = setInterval(() => {
    const now = performance.now();
    due += (current * (now - last)) / 1000;
    last = now;
    for (; due >= 1; due -= 1) {
      const sent = send().finally(() => outstanding.delete(sent));
      outstanding.add(sent);
    }
  }, EVERY_MS);
  return {
    rate: (next) => {
      current = next;
    },
    drain: () => {
      const counted = answers;
      answers = {};
      return counted;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(outstanding);
    },
  };
}

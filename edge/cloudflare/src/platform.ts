/** What the worker takes from its runtime beside bindings: a clock, a pause, chance, and a place for lines of the log. */

import type { Log, Random, Sleep } from "@tidegate/core";

/** See the module. */
export interface Platform {
  /** Milliseconds since the Unix epoch. On the platform it stands still while a request computes. */
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly random: Random;
  readonly log: Log;
}

/** That of Cloudflare Workers. */
export const WORKERS: Platform = {
  now: () => Date.now(),
  sleep: (ms) => scheduler.wait(ms),
  random: () => Math.random(),
  log: (line) => console.log(JSON.stringify(line)),
};

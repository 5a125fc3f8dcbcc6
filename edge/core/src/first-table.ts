/** The rates of a node that has no table yet: the engine makes one at the first tick after the node's first report. */

import type { RateTable } from "./rate-table.ts";

/** What such a node grants: tokens per second of all keys, their burst, tokens per second of each key. */
export interface FirstRates {
  readonly firstPerS: number;
  readonly firstBurst: number;
  readonly firstKeyPerS: number;
}

const STEP_S = 30;

/** A table of epoch 0, which every other replaces, whose rates hold from `nowMs` on for good. */
export function firstTable(node: string, { firstPerS, firstBurst, firstKeyPerS }: FirstRates, nowMs: number): RateTable {
  return {
    node,
    epoch: 0,
    issuedMs: nowMs,
    stepS: STEP_S,
    expiresMs: nowMs,
    mode: "enforce",
    instances: 1,
    pool: { refillPerS: [firstPerS], capacity: firstBurst, safePerS: firstPerS },
    fallback: { refillPerS: [], capacity: 0, ceilingPerS: firstKeyPerS, safePerS: 0, mustLeave: 0 },
    buckets: new Map(),
    shards: [],
  };
}

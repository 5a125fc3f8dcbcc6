/** Adds up the tokens that nodes are leased. */

import { Ladder, parseTable, type RateTable, rateOn, tableKey } from "@tidegate/core";
import type { RunningPlatform } from "../platform.ts";

const EVERY_MS = 1_000;

/** A meter that runs. */
export interface LeaseMeter {
  /** Tokens leased to all nodes since it was started. */
  readonly stop: () => Promise<number>;
}

/** Looks at the tables of `nodes` in the store once a second, and takes each rate to hold until the next look. */
export function startLeaseMeter(edge: RunningPlatform, nodes: readonly string[]): LeaseMeter {
  let tokens = 0;
  let isRunning = true;
  const measure = async () => {
    let lastMs = Date.now();
    while (isRunning) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      const tables = await Promise.all(nodes.map((node) => edge.read(tableKey(node))));
      const now = Date.now();
      const perS = tables.reduce((sum, text) => sum + (text === undefined ? 0 : rateAt(parseTable(text), now)), 0);
      tokens += (perS * (now - lastMs)) / 1000;
      lastMs = now;
    }
  };
  const done = measure();
  return {
    stop: async () => {
      isRunning = false;
      await done;
      return tokens;
    },
  };
}

function rateAt(table: RateTable, nowMs: number): number {
  return rateOn(new Ladder(table).stage(nowMs), table.pool.refillPerS, table.pool.safePerS);
}

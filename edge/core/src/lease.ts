/** What the table in force grants one instance of the node, on the rung that holds. */

import { type Ladder, rateOn, type Stage } from "./ladder.ts";
import type { BucketRates, RateTable } from "./rate-table.ts";
import type { MemberRates } from "./two-level.ts";

/** A table in force. */
export interface Lease {
  readonly table: RateTable;
  readonly ladder: Ladder;
  readonly stage: Stage;
  /** How old the table was when it took the place of one that was leased; left out of the first lease. */
  readonly stalenessMs?: number | undefined;
}

/** Rates of the node's own bucket. */
export interface NodeRates {
  readonly refillPerS: number;
  /** Tokens that buckets may borrow. */
  readonly lendable: number;
  /** Sum of the guaranteed bursts. */
  readonly reserve: number;
}

/** This instance's share of the node's refill, of what it may lend and of the guaranteed bursts. */
export function nodeRates({ table, stage }: Lease): NodeRates {
  let safeOfBuckets = 0;
  let reserve = 0;
  for (const { safePerS, capacity } of table.buckets.values()) {
    safeOfBuckets += safePerS;
    reserve += capacity;
  }
  // A table without the pool's own safe rate still leaves every listed bucket its safe rate.
  const safePerS = Math.max(table.pool.safePerS, safeOfBuckets);
  const { instances } = table;
  return {
    refillPerS: rateOn(stage, table.pool.refillPerS, safePerS) / instances,
    lendable: table.pool.capacity / instances,
    reserve: reserve / instances,
  };
}

/** Tokens of a bucket's ceiling that one of `instances` may save: a request takes one, however slowly it comes. */
export function ceilingBurstOf(rates: BucketRates, stepS: number, instances: number): number {
  const whole = rates.ceilingBurst ?? rates.ceilingPerS * stepS + rates.capacity;
  return Math.max(whole / instances, rates.ceilingPerS > 0 ? 1 : 0);
}

/** This instance's share of a bucket's guarantee and ceiling, and of what it must leave; `listed` is what the table grants it by name. */
export function memberRates(listed: BucketRates | undefined, { table, stage }: Lease): MemberRates {
  const rates = listed ?? table.fallback;
  const { instances } = table;
  const ceilingPerS = rates.ceilingPerS / instances;
  const ceilingBurst = ceilingBurstOf(rates, table.stepS, instances);
  const mustLeave = rates.mustLeave / instances;
  // Unlisted buckets are too many to promise each of them something: they only borrow.
  if (listed === undefined) return { refillPerS: 0, capacity: 0, ceilingPerS, ceilingBurst, mustLeave };
  const refillPerS = rateOn(stage, rates.refillPerS, rates.safePerS) / instances;
  return { refillPerS, capacity: rates.capacity / instances, ceilingPerS, ceilingBurst, mustLeave };
}

/** Where a bucket stands: what the headers of an answer say about it. */

import type { Member, MemberRates, NodeBucket } from "./two-level.ts";

/** See the module. */
export interface Standing {
  /** Whole requests that would pass now. */
  readonly remaining: number;
  /** Milliseconds until one would; 0 when one would now, infinite when the rates in force never let one. */
  readonly retryMs: number;
  /** Milliseconds until the bucket has its whole burst again. */
  readonly refillMs: number;
  /** The burst, in whole requests. */
  readonly quota: number;
  /** Seconds in which that burst comes back at the ceiling; infinite when the ceiling is 0. */
  readonly windowS: number;
}

/** The standing of `member`, whose rates are `rates`, at its node; of nothing at all before there are rates. */
export function standingOf(member: Member, node: NodeBucket, rates: MemberRates | undefined, nowMs: number): Standing {
  const { own, meter } = member;
  const { total } = node;
  const left = node.leftBy(member);
  const burst = rates?.ceilingBurst ?? 0;
  const guaranteed = Math.max(0, Math.floor(Math.min(own.tokens(nowMs), total.tokens(nowMs))));
  const borrowable = Math.min(meter.tokens(nowMs) - guaranteed, total.tokens(nowMs) - guaranteed - left);
  return {
    remaining: guaranteed + Math.max(0, Math.floor(borrowable)),
    retryMs: Math.min(
      Math.max(own.msUntil(1, nowMs), total.msUntil(1, nowMs)),
      Math.max(meter.msUntil(1, nowMs), total.msUntil(left + 1, nowMs)),
    ),
    refillMs: meter.msUntil(burst, nowMs),
    quota: Math.floor(burst),
    windowS: rates && rates.ceilingPerS > 0 ? Math.ceil(burst / rates.ceilingPerS) : Number.POSITIVE_INFINITY,
  };
}

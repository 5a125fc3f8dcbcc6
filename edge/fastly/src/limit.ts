/**
 * Limits by the location's rate counters, which all sandboxes share: the platform keeps no bucket, but it counts.
 *
 * A bucket of `perS` and `burst` admits at most `burst + perS * t` in any time t. So does whoever admits no more than `perS * w` in
 * any window w of at most `burst / perS`. The longest window that the counters have and that is short enough gives the
 * largest burst. Where the burst is less than a second's refill, a second's refill is admitted at once.
 *
 * What a bucket must leave to others is the same share of the node's window as it is of the node's pool. How much the pool would
 * hold is told from the counts of all shorter windows: what refills within a window counts as back.
 */

import { type Lease, type MemberRates, memberRates, type NodeRates, nodeRates, type Refusal, type Standing } from "@tidegate/core";

/** What a location counts: how much was added to an entry in the last seconds. Counts of others' requests arrive late. */
export interface Counters {
  /** Seconds is 1 or a multiple of 10 up to 60. */
  readonly count: (entry: string, seconds: number) => number;
  readonly add: (entry: string) => void;
}

/** What became of a request. */
export interface Decision {
  readonly isAdmitted: boolean;
  readonly how: "guaranteed" | "borrowed" | Refusal;
  readonly standing: Standing;
}

/** A window of the counters, and what may be admitted in it. */
export interface Window {
  readonly seconds: number;
  readonly limit: number;
}

/** The entry that counts all that the node admits. No bucket has this id. */
export const NODE = "tidegate node";

const LONGEST_S = 60;
/** The windows that the counters have, in seconds. */
const SECONDS = [1, 10, 20, 30, 40, 50, 60];

/** The window that stands for a bucket of `perS` and `burst`. */
export function windowOf(perS: number, burst: number): Window {
  if (!(perS > 0)) return { seconds: LONGEST_S, limit: 0 };
  const tens = Math.min(LONGEST_S, Math.floor(burst / perS / 10) * 10);
  const seconds = Math.max(1, tens);
  return { seconds, limit: perS * seconds };
}

/**
 * What a bucket of the window's limit that refills at `perS` would hold, or less. It is short of the most by which the takes of any
 * last seconds have outrun the refill; those of more seconds than the window's cannot have, as, guarantees aside, no window admits
 * more than refills in it. Between two spans that the counters have, the takes of the longer and the refill of the shorter bound it.
 */
function held(entry: string, perS: number, { seconds, limit }: Window, counters: Counters): number {
  let short = 0;
  let sinceS = 0;
  for (const span of SECONDS.filter((s) => s <= seconds)) {
    short = Math.max(short, counters.count(entry, span) - perS * sinceS);
    sinceS = span;
  }
  return limit - short;
}

/** What `rates` leave of the node's window to others. */
function leftOf({ limit }: Window, { mustLeave }: MemberRates, { lendable }: NodeRates): number {
  return mustLeave > 0 ? limit * Math.min(1, mustLeave / lendable) : 0;
}

/**
 * Decides one request of `bucket` under `lease`, whose rates are those of the whole location: guaranteed below the bucket's own
 * refill, else borrowed below its ceiling and what the node may lend.
 */
export function decide(bucket: string, lease: Lease, counters: Counters): Decision {
  const listed = lease.table.buckets.get(bucket);
  const rates = memberRates(listed, lease);
  const node = nodeRates(lease);
  const room = (entry: string, { seconds, limit }: Window) => limit - counters.count(entry, seconds);
  const ceiling = windowOf(rates.ceilingPerS, rates.ceilingBurst);
  const lent = windowOf(node.refillPerS, node.lendable);
  const own = room(bucket, windowOf(rates.refillPerS, rates.capacity));
  const [ofBucket, ofNode] = [room(bucket, ceiling), room(NODE, lent)];
  const left = leftOf(lent, rates, node);
  const lendable = left > 0 ? Math.min(ofNode, held(NODE, node.refillPerS, lent, counters) - left) : ofNode;
  const isGuaranteed = own >= 1 && ofNode + node.reserve >= 1;
  const refusal = isGuaranteed ? undefined : ofBucket < 1 ? "ceiling" : lendable < 1 ? "pool" : undefined;
  const isAdmitted = refusal === undefined || lease.table.mode === "shadow";
  if (isAdmitted) {
    counters.add(bucket);
    counters.add(NODE);
  }
  const borrowable = Math.min(ofBucket, lendable);
  const remaining = Math.max(0, Math.floor(isGuaranteed ? Math.max(own, borrowable) : borrowable) - 1);
  const waitMs = (refusal === "pool" ? lent.seconds : ceiling.seconds) * 1000;
  return {
    isAdmitted,
    how: refusal ?? (isGuaranteed ? "guaranteed" : "borrowed"),
    standing: {
      remaining: refusal === undefined ? remaining : 0,
      // Counts do not say when they were made; on average half of a window's are gone after half of it.
      retryMs: refusal === undefined ? 0 : waitMs / 2,
      refillMs: waitMs,
      quota: Math.floor(ceiling.limit),
      windowS: ceiling.seconds,
    },
  };
}

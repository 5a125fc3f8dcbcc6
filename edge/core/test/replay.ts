/** Replays test vectors on this implementation. Each function says what it found different, `undefined` when nothing is. */

import { EdgeNode, Member, type MemberRates, NodeBucket, parseTable, RefusedTable, TokenBucket } from "../src/index.ts";

// The shapes of `contracts/vectors` and of the example `vectors` of `crates/edge-node`, which share their steps.
interface Step {
  op: string;
  at_ms: number;
  n: number;
  [key: string]: unknown;
}
interface Share {
  refill_per_s: number;
  capacity: number;
  ceiling_per_s: number;
  ceiling_burst: number;
  must_leave: number;
}
interface Rates {
  refill_per_s: number;
  lendable: number;
  reserve: number;
  members: Share[];
}
export interface BucketCase {
  at_ms?: number;
  refill_per_s: number;
  capacity: number;
  tokens: number;
  steps: Step[];
}
export interface TwoLevelCase {
  at_ms?: number;
  is_full?: boolean;
  start: Rates;
  steps: Step[];
}
export interface NodeCase {
  start_empty: boolean;
  most_buckets: number;
  steps: Step[];
}

/** The first step of a case whose outcome is another here. */
export type Difference = { step: number; expected: unknown; got: unknown } | undefined;

/** Holds what each step comes to against what the vector says of it. */
function compare(steps: Step[], take: (step: Step) => Record<string, unknown>): Difference {
  for (const [index, step] of steps.entries()) {
    const got = take(step);
    for (const [key, value] of Object.entries(got)) {
      if (JSON.stringify(value) !== JSON.stringify(step[key])) return { step: index, expected: step, got };
    }
  }
  return undefined;
}

export function replayBucket(c: BucketCase): Difference {
  const bucket = new TokenBucket(c.refill_per_s, c.capacity, c.tokens, c.at_ms ?? 0);
  return compare(c.steps, (step) => {
    const reserve = step.reserve as number;
    switch (step.op) {
      case "take":
        return { taken: bucket.take(step.n, step.at_ms, reserve) };
      case "take_up_to":
        return { taken: bucket.takeUpTo(step.n, step.at_ms, reserve) };
      case "charge":
        bucket.charge(step.n, step.at_ms);
        return {};
      case "refund":
        bucket.refund(step.n);
        return {};
      case "set":
        bucket.set(step.refill_per_s as number, step.capacity as number, step.at_ms);
        return {};
      default: {
        const full = "is_full" in step ? { is_full: bucket.isFull(step.at_ms) } : {};
        return { tokens: bucket.tokens(step.at_ms), ...full };
      }
    }
  });
}

function memberRates(share: Share): MemberRates {
  const { refill_per_s: refillPerS, capacity, ceiling_per_s: ceilingPerS, ceiling_burst: ceilingBurst, must_leave: mustLeave } = share;
  return { refillPerS, capacity, ceilingPerS, ceilingBurst, mustLeave };
}

export function replayTwoLevel(c: TwoLevelCase): Difference {
  const { start, at_ms = 0 } = c;
  const node = new NodeBucket(start.refill_per_s, start.lendable, start.reserve, c.is_full ?? true, at_ms);
  const members = start.members.map((share) => new Member(memberRates(share), at_ms));
  return compare(c.steps, (step) => {
    const now = step.at_ms;
    if (step.op === "set") {
      const rates = step.rates as Rates;
      node.set(rates.refill_per_s, rates.lendable, rates.reserve, now);
      for (const [i, share] of rates.members.entries()) members[i]?.set(memberRates(share), now);
      return {};
    }
    if (step.op === "tokens") {
      const all = { own: members.map((m) => m.own.tokens(now)), is_rested: members.map((m) => m.isRested(now)) };
      return { tokens: node.total.tokens(now), ...("own" in step ? all : {}) };
    }
    const member = members[step.member as number] as Member;
    const split = step.op === "take" ? node.take(member, step.n, now) : node.takeUpTo(member, step.n, now);
    return { guaranteed: split.guaranteed, borrowed: split.borrowed, refusal: split.refusal ?? null };
  });
}

export function replayNode(c: NodeCase): Difference {
  const node = new EdgeNode("n", undefined, { startEmpty: c.start_empty, mostBuckets: c.most_buckets });
  return compare(c.steps, (step) => {
    switch (step.op) {
      case "adopt":
        return { adoption: adopt(node, step) };
      case "take": {
        const { admitted, guaranteed, borrowed, refusal } = node.take(step.bucket as string, step.n, step.at_ms);
        return { admitted, guaranteed, borrowed, refusal: refusal ?? null };
      }
      case "state": {
        const tokens = node.tokens(step.at_ms);
        const bucket_tokens = node.bucketTokens(step.bucket as string, step.at_ms);
        return { tokens, bucket_tokens, refill_per_s: node.refillPerS(step.at_ms), buckets: node.buckets };
      }
      default: {
        const { buckets } = node.report(step.start_ms as number, 30, 1);
        const listed = buckets.map(({ bucket, requests, throttled, peak_per_s }) => ({ bucket, requests, throttled, peak_per_s }));
        return { buckets: listed.sort((a, b) => (a.bucket < b.bucket ? -1 : 1)) };
      }
    }
  });
}

function adopt(node: EdgeNode, step: Step): string {
  try {
    return node.adopt(parseTable(JSON.stringify(step.table)), step.at_ms) ? "adopted" : "current";
  } catch (error) {
    if (error instanceof RefusedTable) return error.reason;
    throw error;
  }
}

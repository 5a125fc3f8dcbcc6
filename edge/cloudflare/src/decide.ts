/** Decides one request, in memory or, for exact limits, together with the key's Durable Object. */

import { type Refusal, reason, type Standing, within } from "@tidegate/core";
import type { Env } from "./env.ts";
import type { ExactLimit, ExactVerdict } from "./exact-limit.ts";
import type { Isolate } from "./isolate.ts";

/** What became of a request. */
export interface Decision {
  readonly bucket: string;
  readonly isAdmitted: boolean;
  /** How it was admitted, or what refused it; in shadow mode, what would have. */
  readonly how: "guaranteed" | "borrowed" | Refusal;
  readonly standing: Standing;
}

/** How long a Durable Object may take before the decision is made without it. */
const EXACT_DEADLINE_MS = 1_000;

/** Decides a request of `bucket` at `nowMs`. `defer` takes what may end after the answer. */
export async function decide(
  isolate: Isolate,
  env: Env,
  bucket: string,
  nowMs: number,
  defer: (work: Promise<unknown>) => void,
): Promise<Decision> {
  if (!isolate.settings.isExact || env.EXACT_LIMITS === undefined) return decideHere(isolate, bucket, nowMs);
  const { node, notices, settings } = isolate;
  const limit = env.EXACT_LIMITS.get(env.EXACT_LIMITS.idFromName(`${node.id}/${bucket}`));
  const ceiling = node.ceiling(bucket);
  let verdict: ExactVerdict;
  try {
    const answer = limit.take(ceiling.perS, ceiling.burst, settings.stateExpireS);
    verdict = await within(answer, EXACT_DEADLINE_MS, isolate.platform.sleep, "the exact limit");
  } catch (error) {
    notices.note("exact_unavailable", nowMs, { reason: reason(error) });
    return decideHere(isolate, bucket, nowMs);
  }
  return merge(isolate, limit, bucket, verdict, nowMs, defer);
}

function decideHere({ node }: Isolate, bucket: string, nowMs: number): Decision {
  const taken = node.take(bucket, 1, nowMs);
  const how = taken.refusal ?? (taken.guaranteed > 0 ? "guaranteed" : "borrowed");
  return { bucket, isAdmitted: taken.admitted > 0, how, standing: node.standing(bucket, nowMs) };
}

/** The object speaks for the key's ceiling, this node for what the origin can take. */
function merge(
  { node }: Isolate,
  limit: DurableObjectStub<ExactLimit>,
  bucket: string,
  verdict: ExactVerdict,
  nowMs: number,
  defer: (work: Promise<unknown>) => void,
): Decision {
  const { remaining, retryMs, refillMs } = verdict;
  if (!verdict.isAdmitted) {
    node.count(bucket, 1, 1, nowMs);
    const standing = { ...node.standing(bucket, nowMs), remaining: 0, retryMs, refillMs };
    return { bucket, isAdmitted: node.isShadow, how: "ceiling", standing };
  }
  const taken = node.takeBelowCeiling(bucket, 1, nowMs);
  if (taken.refusal !== undefined && !node.isShadow) defer(limit.giveBack());
  const standing = node.standing(bucket, nowMs);
  const how = taken.refusal ?? (taken.guaranteed > 0 ? "guaranteed" : "borrowed");
  const left = taken.refusal === undefined ? { remaining, refillMs } : {};
  return { bucket, isAdmitted: taken.admitted > 0, how, standing: { ...standing, ...left } };
}

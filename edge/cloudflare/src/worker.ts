/** The worker: a request in, an answer out. */

import { bucketOfKey, KeyCache } from "@tidegate/core";
import { badGateway, tooManyRequests, unauthorized, withLimit } from "./answers.ts";
import { Background } from "./background.ts";
import { type Decision, decide } from "./decide.ts";
import type { Env } from "./env.ts";
import { Isolate } from "./isolate.ts";
import { type Platform, WORKERS } from "./platform.ts";
import { purge } from "./purge.ts";
import { Sealer } from "./seal.ts";
import { type Settings, settings } from "./settings.ts";
import { telemetry } from "./telemetry.ts";

/** Keys whose bucket is remembered, in each of two generations; a longer key is digested each time. */
const REMEMBERED_KEYS = 10_000;
const REMEMBERED_LENGTH = 256;

/** A worker with a memory of its own, which is that of its isolate. */
export function createWorker(platform: Platform = WORKERS) {
  let started: { isolate: Isolate; background: Background; settings: Settings } | undefined;
  const buckets = new KeyCache<string>(REMEMBERED_KEYS);

  function start(env: Env, colo: unknown) {
    const read = settings(env);
    const isolate = new Isolate(env, read, colo, platform);
    const send = read.telemetryUrl === undefined ? undefined : telemetry(read.telemetryUrl, env.TELEMETRY_TOKEN);
    return { isolate, background: new Background(isolate, send), settings: read };
  }

  async function bucketOf(apiKey: string): Promise<string> {
    const known = buckets.get(apiKey);
    if (known !== undefined) return known;
    const bucket = await bucketOfKey(apiKey, (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    if (apiKey.length <= REMEMBERED_LENGTH) buckets.set(apiKey, bucket);
    return bucket;
  }

  return {
    async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
      started ??= start(env, request.cf?.colo);
      const { isolate, background, settings } = started;
      const apiKey = request.headers.get(settings.apiKeyHeader);
      if (!apiKey) return unauthorized(settings.apiKeyHeader);
      const defer = (work: Promise<unknown>) => ctx.waitUntil(work);
      const bucket = await bucketOf(apiKey);
      if (!isolate.isWarm) await isolate.warmUp(defer);
      // The one look at the clock: on the platform it stands still while a request computes.
      const now = platform.now();
      background.roll(now);
      const decision = await decide(isolate, env, bucket, now, defer);
      isolate.usage.count(bucket, decision.isAdmitted);
      if (request.headers.has(settings.retryHeader)) isolate.node.record(bucket, 1, 0, 0);
      background.start(decision.isAdmitted, now, defer);
      const response = decision.isAdmitted
        ? await forward(isolate, env, request, decision)
        : tooManyRequests(decision.how === "pool" ? "pool" : "ceiling", decision.standing, platform.random);
      sample(isolate, decision, response.status);
      return response;
    },

    async scheduled(_: ScheduledController, env: Env): Promise<void> {
      if (env.STATE === undefined) return;
      const ids = env.STATE_KEYS ? (await Sealer.from(env.STATE_KEYS)).ids : [];
      platform.log({ event: "state_purged", ...(await purge(env.STATE, ids, settings(env).stateExpireS, platform.now())) });
    },
  };
}

/** Fetches the origin's answer, and counts what became of the request. */
async function forward(isolate: Isolate, env: Env, request: Request, { bucket, standing }: Decision): Promise<Response> {
  const { node, settings, notices } = isolate;
  try {
    const response = await fetchOrigin(env, settings, request);
    const bytes = lengthOf(request.headers) + lengthOf(response.headers);
    node.record(bucket, 0, response.status >= 500 ? 1 : 0, bytes);
    return withLimit(response, standing);
  } catch (error) {
    node.record(bucket, 0, 1, 0);
    notices.failed("origin_unreachable", error, isolate.platform.now());
    return badGateway();
  }
}

function fetchOrigin(env: Env, { origin }: Settings, request: Request): Promise<Response> {
  if (env.ORIGIN_SERVICE !== undefined) return env.ORIGIN_SERVICE.fetch(request);
  if (origin === undefined) return fetch(request);
  const { pathname, search } = new URL(request.url);
  const target = new URL(origin);
  target.pathname = `${target.pathname.replace(/\/$/, "")}${pathname}`;
  target.search = search;
  return fetch(new Request(target, request));
}

function lengthOf(headers: Headers): number {
  const length = Number(headers.get("content-length") ?? 0);
  return Number.isSafeInteger(length) && length > 0 ? length : 0;
}

/** Logs a share of the requests. */
function sample({ settings, node, platform }: Isolate, { bucket, how, isAdmitted, standing }: Decision, status: number): void {
  if (platform.random() >= settings.logSample) return;
  const { remaining, refillMs } = standing;
  platform.log({
    event: "request",
    node: node.id,
    epoch: node.epoch,
    key: bucket,
    decision: how,
    admitted: isAdmitted,
    status,
    tokens_left: remaining,
    refill_ms: Number.isFinite(refillMs) ? refillMs : null,
  });
}

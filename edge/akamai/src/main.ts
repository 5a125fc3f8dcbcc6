/**
 * tidegate for Akamai EdgeWorkers: `onClientRequest` decides, `onClientResponse` adds the limit's fields and does what is due.
 *
 * `worker` holds an isolate's memory; `edgekv` and `telemetry` are its sub-requests; `settings` says what a property can set.
 */

import { challenge, keyMissing, PROBLEM_JSON, quotaExceeded, rateLimitFields, retryAfterS } from "@tidegate/core";
import { settings } from "./settings.ts";
import { Worker } from "./worker.ts";

/** Carries the bucket from the request's handler to the answer's; declare it in the property. */
const BUCKET_VARIABLE = "PMUSER_TIDEGATE_BUCKET";

/** Lives as long as the isolate does, which the platform does not promise. */
let worker: Worker | undefined;

export async function onClientRequest(request: EW.IngressClientRequest): Promise<void> {
  worker ??= new Worker(settings((name) => request.getVariable(name)));
  const { apiKeyHeader } = worker.settings;
  const apiKey = request.getHeader(apiKeyHeader)?.[0];
  if (!apiKey) {
    const headers = { "WWW-Authenticate": [challenge(apiKeyHeader)], "content-type": [PROBLEM_JSON], "cache-control": ["no-store"] };
    request.respondWith(401, headers, keyMissing(apiKeyHeader));
    return;
  }
  const bucket = await worker.bucketOf(apiKey);
  const { isAdmitted, how, standing } = await worker.decide(bucket);
  if (isAdmitted) {
    request.setVariable(BUCKET_VARIABLE, bucket);
    return;
  }
  const retryS = retryAfterS(standing.retryMs, Math.random);
  const headers = {
    ...rateLimitFields(standing),
    "Retry-After": String(retryS),
    "content-type": PROBLEM_JSON,
    "cache-control": "no-store",
  };
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  request.respondWith(429, lists, quotaExceeded(how === "pool" ? "pool" : "ceiling", retryS));
}

export async function onClientResponse(request: EW.EgressClientRequest, response: EW.EgressClientResponse): Promise<void> {
  if (worker === undefined) return;
  const bucket = request.getVariable(BUCKET_VARIABLE);
  if (bucket) {
    const bytes = Number(response.getHeader("content-length")?.[0] ?? 0) || 0;
    const standing = worker.answered(bucket, response.status, bytes);
    for (const [name, value] of Object.entries(rateLimitFields(standing))) response.setHeader(name, value);
  }
  await worker.catchUp();
}

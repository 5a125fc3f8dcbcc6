/**
 * The worker for Fastly as the harness runs it: the very `Sandbox` of the shipped program, with counters that count and a way for the harness
 * to write KV Store, which Fastly's local runtime lets nobody else do. Never shipped.
 */

import { setReusableSandboxOptions } from "fastly:experimental";
import { bucketOfKey } from "@tidegate/core";
import { NODE } from "@tidegate/fastly/limit";
import { Sandbox } from "@tidegate/fastly/worker";
import { prepare, settle } from "./edge-rate-limiter.ts";
import { isSteering, steer } from "./steer.ts";

setReusableSandboxOptions({ maxRequests: 1_000 });

let sandbox: Sandbox | undefined;

async function answer(event: FetchEvent): Promise<Response> {
  const { request } = event;
  if (isSteering(request)) return steer(request);
  sandbox ??= new Sandbox((line) => console.log(JSON.stringify(line)));
  const key = request.headers.get("x-api-key");
  if (key) await prepare([NODE, await bucketOfKey(key, (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))]);
  const response = await sandbox.handle({ request, waitUntil: (work) => event.waitUntil(work) });
  if (key) await settle();
  return response;
}

addEventListener("fetch", (event) => event.respondWith(answer(event)));

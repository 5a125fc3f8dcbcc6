/**
 * tidegate for Fastly Compute.
 *
 * `worker` is what a request passes; `limit` decides by the location's counters; `rates` has the table from the location's cache and
 * KV Store; `platform` is all that touches Fastly; `settings` says what a service can set.
 */

import { setReusableSandboxOptions } from "fastly:experimental";
import { Sandbox } from "./worker.ts";

// Spares a start and the reading of the table; nothing but reports is lost where the platform ignores it.
setReusableSandboxOptions({ maxRequests: 1_000 });

let sandbox: Sandbox | undefined;

addEventListener("fetch", (event) => {
  // Not at the top: the program is started once while it is built, and what is random then would be the same everywhere.
  sandbox ??= new Sandbox((line) => console.log(JSON.stringify(line)));
  event.respondWith(sandbox.handle({ request: event.request, waitUntil: (work) => event.waitUntil(work) }));
});

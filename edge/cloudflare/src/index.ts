/**
 * tidegate for Cloudflare Workers.
 *
 * In the order in which a request goes: `worker` (what a request passes), `isolate` (what is kept in memory, and the cold start),
 * `decide` (in memory, or with `exact-limit`), `answers`; behind the answer `background` with `rates-store`, `state-keeper` (sealed by
 * `seal`) and `telemetry`; once a day `purge`. `env`, `settings` and `platform` say what a deployment can set.
 */

import type { Env } from "./env.ts";
import { createWorker } from "./worker.ts";

export { ExactLimit } from "./exact-limit.ts";

export default createWorker() satisfies ExportedHandler<Env>;

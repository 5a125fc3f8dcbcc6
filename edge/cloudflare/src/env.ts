/** What a deployment gives the worker: bindings, variables and secrets. */

import type { ExactLimit } from "./exact-limit.ts";

/** Variables are text, as wrangler passes them on; `settings.ts` says what each means. */
export interface Env {
  /** Rate tables, written by the engine. */
  readonly RATES: KVNamespace;
  /** Bucket state, written by this worker. Without it, or without STATE_KEYS, a cold start begins with full buckets. */
  readonly STATE?: KVNamespace;
  /** Exact limits per key, used when EXACT is "on". */
  readonly EXACT_LIMITS?: DurableObjectNamespace<ExactLimit>;
  /** A worker that stands for the origin; without it, ORIGIN or the request's own host is fetched. */
  readonly ORIGIN_SERVICE?: Fetcher;

  readonly NODE?: string;
  readonly ORIGIN?: string;
  readonly API_KEY_HEADER?: string;
  readonly RETRY_HEADER?: string;
  readonly RATES_POLL_S?: string;
  readonly RATES_CACHE_TTL_S?: string;
  readonly COLD_WAIT_MS?: string;
  readonly FIRST_PER_S?: string;
  readonly FIRST_BURST?: string;
  readonly FIRST_KEY_PER_S?: string;
  readonly STATE_WRITE_S?: string;
  readonly STATE_EXPIRE_S?: string;
  readonly EXACT?: string;
  readonly WINDOW_S?: string;
  readonly LOG_SAMPLE?: string;
  readonly TELEMETRY_URL?: string;
  /** Secret: the node's token at the engine. */
  readonly TELEMETRY_TOKEN?: string;
  /** Secret: `id:base64` of at least 32 bytes each, separated by commas; the first seals, all open. */
  readonly STATE_KEYS?: string;
}

/** What a node reports: one window of one instance, as `POST /v1/telemetry` takes it (`contracts/telemetry.schema.json`). */

import type { BucketCounts } from "./slot.ts";

/** See the module. */
export interface Report {
  readonly node: string;
  readonly instance?: string;
  /** Rises by one with each report of this instance. */
  readonly sequence: number;
  /** Epoch of the rate table that was enforced. */
  readonly epoch?: number;
  /** Milliseconds from that table's `issued_at` until it took the place of an older lease here, by this clock. */
  readonly staleness_ms?: number;
  /** Start of the window, RFC 3339, a multiple of `seconds` since the Unix epoch. */
  readonly start: string;
  readonly seconds: number;
  readonly buckets: readonly BucketCounts[];
  /** What went wrong at the worker since it started; the engine ignores what it does not know. */
  readonly worker?: Readonly<Record<string, number | string>>;
}

/**
 * What an edge worker does with its rate table, without a platform: clocks, stores, randomness and the network come in as
 * arguments.
 *
 * In the order in which a request and its counts go round:
 * - `api-key`: from an API key to a bucket's id.
 * - `node`: admits or throttles, by `two-level` takes from `token-bucket`s whose exact sums are in `refill`.
 * - `standing`, `rate-limit-headers`: what the answer says about it.
 * - `poller`, `read-table`, `rate-table`: how the next table gets here; `lease` and `ladder`: what it grants, and when;
 *   `first-table`: what holds before there is one.
 * - `reporter`, `report`, `slot`: how counts get to the engine; `usage`: what each key used, by the minute.
 * - `snapshot`: where the buckets stand, to go on from after a restart.
 * - `backoff`, `deadline`, `key-cache`, `notices`: how to wait, to give up, to remember and to complain.
 */

export { bucketOfKey, type Sha256 } from "./api-key.ts";
export { backoffMs, jittered, type Random } from "./backoff.ts";
export { DeadlineExceeded, type Sleep, within } from "./deadline.ts";
export { type FirstRates, firstTable } from "./first-table.ts";
export { KeyCache } from "./key-cache.ts";
export { DECAY_STAIRS, Ladder, rateOn, type Stage } from "./ladder.ts";
export { type Lease, memberRates, type NodeRates, nodeRates } from "./lease.ts";
export { EdgeNode, type NodeOptions, OTHER, type Taken } from "./node.ts";
export { type Log, type LogLine, Notices, reason } from "./notices.ts";
export { Poller, type PollPorts, type PollTimes, type ReadOutcome } from "./poller.ts";
export {
  challenge,
  keyMissing,
  originUnreachable,
  POLICY,
  PROBLEM_JSON,
  quotaExceeded,
  rateLimitFields,
  retryAfterS,
} from "./rate-limit-headers.ts";
export {
  type BucketRates,
  isBucketId,
  type Mode,
  type PoolRates,
  parseTable,
  type RateTable,
  RefusedTable,
  TABLE_VERSION,
  tableKey,
  VALUE_MAX,
} from "./rate-table.ts";
export { type RateStore, readTable } from "./read-table.ts";
export type { Report } from "./report.ts";
export { REPORT_BOUNDS, type ReportBounds, Reporter, type Send, type Sent } from "./reporter.ts";
export type { BucketCounts } from "./slot.ts";
export { accrued, parseSnapshot, type Snapshot } from "./snapshot.ts";
export type { Standing } from "./standing.ts";
export { TokenBucket } from "./token-bucket.ts";
export { Member, type MemberRates, NodeBucket, type Refusal, type Split } from "./two-level.ts";
export { type Usage, UsageMeter, type UsageMinute } from "./usage.ts";

/**
 * Closes windows of counts and gets them to the engine: batched, numbered, with back-off, and bounded in what it keeps.
 *
 * The engine refuses windows that ended too long ago, so keeping more than that would only cost memory: an outage of an hour
 * loses the windows of that hour but the last ones, and the worker says how many.
 */

import { backoffMs, type Random } from "./backoff.ts";
import type { EdgeNode } from "./node.ts";
import type { Report } from "./report.ts";

/** What the endpoint said to a batch. `retryAfterS` is its `Retry-After`, if any. */
export interface Sent {
  readonly status: number;
  readonly retryAfterS?: number;
  /** Reports of the batch that it refused one by one. */
  readonly rejected?: number;
}

/** Posts reports to `POST /v1/telemetry`. May throw or answer with any status. */
export type Send = (reports: readonly Report[]) => Promise<Sent>;

/** What has counted requests, and hands out a window of them. */
export type Counted = Pick<EdgeNode, "report">;

/** Bounds of a reporter. */
export interface ReportBounds {
  /** Length of a window in seconds; the engine's `interval_s`. */
  readonly windowS: number;
  /** Reports in one batch. */
  readonly batch: number;
  /** Buckets over all reports that are kept; the oldest reports go first. */
  readonly buckets: number;
  /** Milliseconds after which the engine refuses a window; its `ingest.late_s`. */
  readonly lateMs: number;
}

/** The engine's defaults. */
export const REPORT_BOUNDS: ReportBounds = { windowS: 30, batch: 20, buckets: 100_000, lateMs: 300_000 };

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const LONGEST_FLUSH_MS = 30_000;

/** See the module. */
export class Reporter {
  #startMs: number | undefined;
  #sequence = 0;
  #kept: Report[] = [];
  #dueMs = 0;
  #failures = 0;
  #dropped = 0;
  /** When the flush under way is given up for lost: a platform may drop the work of a request that went away. */
  #sendingUntilMs = 0;

  constructor(
    private readonly bounds: ReportBounds,
    private readonly random: Random,
  ) {}

  /** Reports that the engine will never see: too old, too many, or refused. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Batches in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Reports that wait to be sent. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** Milliseconds from `nowMs` to the end of the window that is open. */
  msToEnd(nowMs: number): number {
    const windowMs = this.bounds.windowS * 1000;
    return windowMs - (nowMs % windowMs);
  }

  /**
   * Closes the window that is open if it has ended at `nowMs`. Call it before each take, so that no request is counted in a
   * window that it does not belong to. A clock that runs backwards leaves the window open.
   */
  roll(node: Counted, nowMs: number, worker?: Report["worker"]): void {
    const windowMs = this.bounds.windowS * 1000;
    const current = nowMs - (nowMs % windowMs);
    const startMs = this.#startMs ?? current;
    if (current <= startMs) {
      this.#startMs = startMs;
      return;
    }
    this.#startMs = current;
    const report = node.report(startMs, this.bounds.windowS, ++this.#sequence);
    this.#kept.push(worker === undefined ? report : { ...report, worker });
    this.#forget(nowMs);
  }

  /** Whether there is something to send at `nowMs`. */
  isDue(nowMs: number): boolean {
    const isSending = nowMs < this.#sendingUntilMs && nowMs >= this.#sendingUntilMs - 2 * LONGEST_FLUSH_MS;
    const isSetBack = nowMs < this.#dueMs - LONGEST_RETRY_MS;
    return !isSending && this.#kept.length > 0 && (nowMs >= this.#dueMs || isSetBack);
  }

  /**
   * Sends what waits, batch by batch, until it is all sent or a batch fails. `now` is asked after each answer. Never throws;
   * `undefined` when all went well. Two flushes at once send some reports twice, which the engine sees by their numbers.
   */
  async flush(send: Send, now: () => number): Promise<Sent | { readonly error: unknown } | undefined> {
    this.#sendingUntilMs = now() + LONGEST_FLUSH_MS;
    try {
      while (this.#kept.length > 0) {
        const failure = await this.#sendBatch(send, now);
        if (failure) return failure;
      }
      return undefined;
    } finally {
      this.#sendingUntilMs = 0;
    }
  }

  /** Forgets what waits, where there is no endpoint to send it to. */
  discard(): void {
    this.#kept = [];
  }

  async #sendBatch(send: Send, now: () => number): Promise<Sent | { readonly error: unknown } | undefined> {
    const batch = this.#kept.slice(0, this.bounds.batch);
    let sent: Sent;
    try {
      sent = await send(batch);
    } catch (error) {
      this.#backOff(now(), undefined);
      return { error };
    }
    if (isTransient(sent.status)) {
      this.#backOff(now(), sent.retryAfterS);
      return sent;
    }
    // A window may have been closed, or the oldest dropped, while the batch was under way.
    const done = new Set(batch.map((report) => report.sequence));
    this.#kept = this.#kept.filter((report) => !done.has(report.sequence));
    this.#failures = 0;
    this.#dueMs = 0;
    const isTaken = sent.status >= 200 && sent.status < 300;
    const lost = isTaken ? (sent.rejected ?? 0) : batch.length;
    this.#dropped += lost;
    return lost > 0 ? sent : undefined;
  }

  #backOff(nowMs: number, retryAfterS: number | undefined): void {
    this.#failures += 1;
    const wait = backoffMs(this.#failures, FIRST_RETRY_MS, LONGEST_RETRY_MS, this.random);
    this.#dueMs = nowMs + Math.max(wait, Math.min((retryAfterS ?? 0) * 1000, LONGEST_RETRY_MS));
    this.#forget(nowMs);
  }

  #forget(nowMs: number): void {
    const { windowS, lateMs, buckets } = this.bounds;
    const oldest = nowMs - lateMs - windowS * 1000;
    let kept = 0;
    const before = this.#kept.length;
    this.#kept = this.#kept
      .filter((report) => Date.parse(report.start) >= oldest)
      .reverse()
      .filter((report) => {
        kept += report.buckets.length;
        return kept <= buckets;
      })
      .reverse();
    this.#dropped += before - this.#kept.length;
  }
}

/** Whether the same batch may be taken later: the endpoint is away, busy, or asks to slow down. */
function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408 || status === 425;
}

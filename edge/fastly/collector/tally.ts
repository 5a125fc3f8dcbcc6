/** Makes windows of a node out of lines that come when they come. */

import { type BucketCounts, OTHER, type Report } from "@tidegate/core";
import type { Outcome } from "../src/outcome.ts";

interface Counts {
  requests: number;
  throttled: number;
  errors: number;
  bytes: number;
  /** Requests by the second in which they were decided. */
  readonly perSecond: Map<number, number>;
}

/** Counts one node's requests. Lines may come in any order; one that comes after its window was closed counts for the next. */
export class Tally {
  #outcomes: Outcome[] = [];

  /** `instance` is the collector's name among all that report for `node`; a window tells at most `mostBuckets` apart. */
  constructor(
    readonly node: string,
    readonly instance: string,
    private readonly mostBuckets: number,
  ) {}

  take(outcome: Outcome): void {
    this.#outcomes.push(outcome);
  }

  /** The window of `seconds` that began at `startMs`, and whatever came too late for an earlier one. */
  report(startMs: number, seconds: number, sequence: number): Report {
    const endMs = startMs + seconds * 1000;
    const closed = this.#outcomes.filter(({ atMs }) => atMs < endMs);
    this.#outcomes = this.#outcomes.filter(({ atMs }) => atMs >= endMs);
    const last = closed.at(-1);
    // A table is acknowledged once no sandbox decides by an older one.
    const epoch = closed.reduce((least, outcome) => Math.min(least, outcome.epoch), last?.epoch ?? 0);
    return {
      node: this.node,
      instance: this.instance,
      sequence,
      ...(epoch > 0 ? { epoch } : {}),
      start: new Date(startMs).toISOString(),
      seconds,
      buckets: this.#count(closed),
      ...(last === undefined ? {} : { worker: { rung: last.rung } }),
    };
  }

  #count(outcomes: readonly Outcome[]): BucketCounts[] {
    const buckets = new Map<string, Counts>();
    for (const { atMs, bucket, throttled, errors, bytes } of outcomes) {
      const id = buckets.has(bucket) || buckets.size < this.mostBuckets ? bucket : OTHER;
      const counts = buckets.get(id) ?? { requests: 0, throttled: 0, errors: 0, bytes: 0, perSecond: new Map() };
      buckets.set(id, counts);
      counts.requests += 1;
      counts.throttled += throttled;
      counts.errors += errors;
      counts.bytes += bytes;
      const second = Math.floor(atMs / 1000);
      counts.perSecond.set(second, (counts.perSecond.get(second) ?? 0) + 1);
    }
    return [...buckets].map(([bucket, { perSecond, ...counts }]) => ({ bucket, ...counts, peak_per_s: Math.max(...perSecond.values()) }));
  }
}

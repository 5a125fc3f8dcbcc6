/** A bucket at a node, with the counts of its open window. */

import type { BucketRates } from "./rate-table.ts";
import type { Member } from "./two-level.ts";

/** Counts of one bucket in one window, as telemetry: `contracts/telemetry.schema.json`. */
export interface BucketCounts {
  readonly bucket: string;
  /** Requests offered, throttled ones included. */
  readonly requests: number;
  readonly throttled: number;
  readonly retries?: number;
  /** Of the admitted requests, how many failed at the origin. */
  readonly errors?: number;
  readonly bytes?: number;
  /** Most requests offered in any one second. */
  readonly peak_per_s: number;
}

/** See the module. */
export class Slot {
  /** What the table grants it; absent when the default entry serves it. */
  listed: BucketRates | undefined;
  #requests = 0;
  #throttled = 0;
  #retries = 0;
  #errors = 0;
  #bytes = 0;
  /** Second that is being counted, and the requests in it so far. */
  #second = 0;
  #inSecond = 0;
  #peak = 0;

  constructor(
    readonly id: string,
    readonly member: Member,
    listed?: BucketRates,
  ) {
    this.listed = listed;
  }

  get isCounted(): boolean {
    return this.#requests > 0;
  }

  /** Counts `requests` offered, of which `throttled` were refused. */
  offered(requests: number, throttled: number, nowMs: number): void {
    this.#requests += requests;
    this.#throttled += throttled;
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    this.#inSecond += requests;
    this.#peak = Math.max(this.#peak, this.#inSecond);
  }

  /** Adds what became known of requests after they were decided. */
  outcome(retries: number, errors: number, bytes: number): void {
    this.#retries += retries;
    this.#errors += errors;
    this.#bytes += bytes;
  }

  /** The counts; none are left. */
  drain(): BucketCounts {
    const admitted = this.#requests - this.#throttled;
    const counts = {
      bucket: this.id,
      requests: this.#requests,
      throttled: this.#throttled,
      // An outcome may belong to a request that the window before has counted: a share of this one's would be impossible.
      retries: Math.min(this.#retries, this.#requests),
      errors: Math.min(this.#errors, admitted),
      bytes: this.#bytes,
      peak_per_s: this.#peak,
    };
    this.#requests = this.#throttled = this.#retries = this.#errors = this.#bytes = 0;
    this.#second = this.#inSecond = this.#peak = 0;
    return counts;
  }
}

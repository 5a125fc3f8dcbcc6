/** What each bucket used, by the minute, for billing and analytics. */

/** Use of one bucket in one minute. */
export interface Usage {
  readonly bucket: string;
  readonly admitted: number;
  readonly throttled: number;
}

/** One minute of an instance. */
export interface UsageMinute {
  /** Its start, RFC 3339. */
  readonly minute: string;
  readonly usage: readonly Usage[];
  /** Requests of buckets beyond the bound, which have no entry of their own. */
  readonly others: Omit<Usage, "bucket">;
}

const MINUTE_MS = 60_000;

/** Adds up what buckets use, and hands out each minute once it is over. */
export class UsageMeter {
  #minuteMs: number | undefined;
  #usage = new Map<string, { admitted: number; throttled: number }>();
  #others = { admitted: 0, throttled: 0 };

  /** Tells apart at most `buckets` in one minute. */
  constructor(private readonly buckets: number) {}

  /** The minute that was open, if it is over at `nowMs` and anything was used in it. A clock that runs backwards ends none. */
  roll(nowMs: number): UsageMinute | undefined {
    const current = nowMs - (nowMs % MINUTE_MS);
    const open = this.#minuteMs ?? current;
    this.#minuteMs = Math.max(open, current);
    if (current <= open || (this.#usage.size === 0 && this.#others.admitted + this.#others.throttled === 0)) return undefined;
    const usage = [...this.#usage].map(([bucket, counts]) => ({ bucket, ...counts }));
    const minute = { minute: new Date(open).toISOString(), usage, others: this.#others };
    this.#usage = new Map();
    this.#others = { admitted: 0, throttled: 0 };
    return minute;
  }

  /** Counts one request of `bucket` in the open minute. */
  count(bucket: string, isAdmitted: boolean): void {
    const counts = this.#countsOf(bucket);
    if (isAdmitted) counts.admitted += 1;
    else counts.throttled += 1;
  }

  #countsOf(bucket: string): { admitted: number; throttled: number } {
    const found = this.#usage.get(bucket);
    if (found) return found;
    if (this.#usage.size >= this.buckets) return this.#others;
    const counts = { admitted: 0, throttled: 0 };
    this.#usage.set(bucket, counts);
    return counts;
  }
}

/** Rate tables to test with, as a store holds them. */

/** A time on a window's edge. */
export const T0 = Date.parse("2026-11-21T20:00:00Z");

/** Pool of 10/s with 20 to lend; `key:a` is guaranteed 4/s and 40 tokens; all others may borrow 5/s. */
export function tableJson(epoch: number, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 1,
    node: "n",
    epoch,
    issued_at: "2026-11-21T20:00:00Z",
    step_s: 30,
    expires_at: "2026-11-21T20:05:00Z",
    mode: "enforce",
    instances: 1,
    pool: { refill_per_s: [10, 20], capacity: 20, safe_per_s: 6 },
    default: { refill_per_s: [0], capacity: 3, ceiling_per_s: 5, safe_per_s: 0 },
    buckets: { "key:a": { refill_per_s: [4, 8], capacity: 40, ceiling_per_s: 1000, safe_per_s: 2 } },
    ...change,
  };
}

/** {@link tableJson} as text. */
export function tableText(epoch: number, change: Record<string, unknown> = {}): string {
  return JSON.stringify(tableJson(epoch, change));
}

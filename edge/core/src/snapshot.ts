/** Where the buckets of a node stand, to go on from after a restart. */

import { isBucketId } from "./rate-table.ts";

/** See the module. Amounts are tokens of one instance; negative for a debt. */
export interface Snapshot {
  /** When it was taken, milliseconds since the Unix epoch. */
  readonly at: number;
  /** Tokens in the node's own bucket. */
  readonly total: number;
  /** Per bucket: its id, its guaranteed tokens, what is left below its ceiling. */
  readonly buckets: readonly (readonly [string, number, number])[];
}

/** `tokens` held at `fromMs`, with what accrues at `perS` until `nowMs`; nothing does where the clock ran backwards. */
export function accrued(tokens: number, perS: number, fromMs: number, nowMs: number): number {
  return tokens + (perS * Math.max(0, nowMs - fromMs)) / 1000;
}

/** Reads a snapshot from JSON; `undefined` when it is none. */
export function parseSnapshot(text: string): Snapshot | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isSnapshot(value) ? value : undefined;
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== "object" || value === null) return false;
  const { at, total, buckets } = value as Partial<Record<keyof Snapshot, unknown>>;
  return Number.isFinite(at) && Number.isFinite(total) && Array.isArray(buckets) && buckets.every(isEntry);
}

function isEntry(entry: unknown): boolean {
  if (!Array.isArray(entry) || entry.length !== 3) return false;
  const [id, own, meter] = entry;
  return typeof id === "string" && isBucketId(id) && Number.isFinite(own) && Number.isFinite(meter);
}

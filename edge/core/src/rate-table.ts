/** A node's rate table, contract v1: what `GET /v1/rates/{node}` answers and what stands under its key in a KV store. */

/** The version of the contract that this package reads. */
export const TABLE_VERSION = 1;

/** Longest value that is parsed, in characters: a store may hold anything, and parsing stops the worker meanwhile. */
export const VALUE_MAX = 4_000_000;

/** What a node does with a refusal: refuse, or count what would have been refused and admit it. */
export type Mode = "enforce" | "shadow";

/** The node's own bucket. Rates are tokens per second; entry k of a schedule holds from `issuedMs + k * stepS`. */
export interface PoolRates {
  readonly refillPerS: readonly number[];
  /** Tokens that buckets may borrow once the pool is full. */
  readonly capacity: number;
  /** Tokens per second after the lease has ended. */
  readonly safePerS: number;
}

/** Rates of one bucket at one node. */
export interface BucketRates extends PoolRates {
  /** Most tokens per second that the bucket may reach when it borrows. */
  readonly ceilingPerS: number;
  /** Tokens of its ceiling that it may save, over all instances; what the ceiling brings in a step, and `capacity`, when left out. */
  readonly ceilingBurst?: number;
  /** Tokens of the pool that it must leave to others when it borrows. */
  readonly mustLeave: number;
}

/** A lease on refill rates. */
export interface RateTable {
  readonly node: string;
  /** The plan it belongs to; only rises. */
  readonly epoch: number;
  /** Start of step 0, milliseconds since the Unix epoch. */
  readonly issuedMs: number;
  /** Length of a step in seconds, at least 1. */
  readonly stepS: number;
  /** End of the lease, milliseconds since the Unix epoch. */
  readonly expiresMs: number;
  readonly mode: Mode;
  /** Instances of the node that share these rates evenly, at least 1. */
  readonly instances: number;
  readonly pool: PoolRates;
  /** What serves every bucket that `buckets` does not list. */
  readonly fallback: BucketRates;
  /** Buckets with rates of their own, in the order of their ids. */
  readonly buckets: ReadonlyMap<string, BucketRates>;
  /** Keys of the shards that hold the buckets; none when they are in the table. */
  readonly shards: readonly string[];
}

/** Some of the buckets of a table that is too large for one value of a store. */
export interface RateShard {
  readonly node: string;
  readonly epoch: number;
  readonly buckets: ReadonlyMap<string, BucketRates>;
}

/** Why a value is no rate table. The message names the key of the value that is wrong. */
export class RefusedTable extends Error {
  override readonly name = "RefusedTable";

  constructor(
    /** The kind of fault, the same for every occurrence. */
    readonly reason: "json" | "oversized" | "version" | "shape" | "number" | "bucket" | "node" | "epoch" | "torn",
    message: string,
  ) {
    super(message);
  }
}

/** The key of a node's table in a KV store. */
export function tableKey(node: string): string {
  return `tidegate-v1-rates-${node}`;
}

/**
 * Reads a table from JSON.
 *
 * @throws RefusedTable when it is too long, no JSON, of another version, or holds a value that cannot be enforced.
 */
export function parseTable(text: string): RateTable {
  const root = versioned(text);
  const table = {
    node: string(root.node, "node"),
    epoch: whole(root.epoch, "epoch", 0),
    issuedMs: time(root.issued_at, "issued_at"),
    stepS: whole(root.step_s, "step_s", 1),
    expiresMs: time(root.expires_at, "expires_at"),
    mode: mode(root.mode),
    instances: whole(root.instances, "instances", 1),
    pool: pool(root.pool),
    fallback: bucket(root.default, "default"),
    buckets: buckets(root.buckets),
    shards: shardKeys(root.shards),
  };
  if (table.expiresMs < table.issuedMs) throw wrong("number", "expires_at", "is before issued_at");
  return table;
}

/**
 * Reads a shard from JSON.
 *
 * @throws RefusedTable as {@link parseTable} does.
 */
export function parseShard(text: string): RateShard {
  const root = versioned(text);
  return { node: string(root.node, "node"), epoch: whole(root.epoch, "epoch", 0), buckets: buckets(root.buckets) };
}

/** Whether `id` is one that can be reported: `[A-Za-z0-9._:-]{1,128}`. */
export function isBucketId(id: string): boolean {
  return id.length <= 128 && /^[A-Za-z0-9._:-]+$/.test(id);
}

/** The rate of `schedule` at `step`: its last entry once it has run out, 0 when it is empty. */
export function rateAt(schedule: readonly number[], step: number): number {
  return schedule[Math.min(step, schedule.length - 1)] ?? 0;
}

type Fields = Readonly<Record<string, unknown>>;

function versioned(text: string): Fields {
  if (text.length > VALUE_MAX) {
    throw new RefusedTable("oversized", `the value has ${text.length} characters, more than ${VALUE_MAX}: let the engine shard it`);
  }
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw new RefusedTable("json", "the value is not JSON, or cut short");
  }
  const table = fields(root, "the value");
  if (table.version !== TABLE_VERSION) {
    throw new RefusedTable("version", `the value has version ${shown(table.version)}, this worker reads version ${TABLE_VERSION}`);
  }
  return table;
}

function wrong(reason: "shape" | "number" | "bucket", key: string, what: string): RefusedTable {
  return new RefusedTable(reason, `${key} of the rate table ${what}`);
}

function fields(value: unknown, key: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("shape", key, "is not an object");
  return value as Fields;
}

function string(value: unknown, key: string): string {
  if (typeof value !== "string") throw wrong("shape", key, "is not a string");
  return value;
}

function whole(value: unknown, key: string, least: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw wrong("number", key, `is ${shown(value)}, not a whole number of at least ${least}`);
}

function amount(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw wrong("number", key, `is ${shown(value)}, not a number that can be enforced`);
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function time(value: unknown, key: string): number {
  const ms = typeof value === "string" && RFC_3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw wrong("shape", key, `is ${shown(value)}, not a time such as 2026-11-21T20:00:00Z`);
  return ms;
}

function mode(value: unknown): Mode {
  if (value === "enforce" || value === "shadow") return value;
  throw wrong("shape", "mode", `is ${shown(value)}, neither "enforce" nor "shadow"`);
}

function schedule(value: unknown, key: string): number[] {
  if (!Array.isArray(value)) throw wrong("shape", key, "is not a list");
  return value.map((rate, k) => amount(rate, `${key}[${k}]`));
}

function pool(value: unknown): PoolRates {
  const { refill_per_s, capacity, safe_per_s } = fields(value, "pool");
  return {
    refillPerS: schedule(refill_per_s, "pool.refill_per_s"),
    capacity: amount(capacity, "pool.capacity"),
    safePerS: safe_per_s === undefined ? 0 : amount(safe_per_s, "pool.safe_per_s"),
  };
}

function bucket(value: unknown, key: string): BucketRates {
  const { refill_per_s, capacity, ceiling_per_s, ceiling_burst, safe_per_s, must_leave = 0 } = fields(value, key);
  return {
    refillPerS: schedule(refill_per_s, `${key}.refill_per_s`),
    capacity: amount(capacity, `${key}.capacity`),
    ceilingPerS: amount(ceiling_per_s, `${key}.ceiling_per_s`),
    ...(ceiling_burst == null ? {} : { ceilingBurst: amount(ceiling_burst, `${key}.ceiling_burst`) }),
    safePerS: amount(safe_per_s, `${key}.safe_per_s`),
    mustLeave: amount(must_leave, `${key}.must_leave`),
  };
}

function buckets(value: unknown): Map<string, BucketRates> {
  const entries = Object.entries(fields(value, "buckets")).map(([id, rates]): [string, BucketRates] => {
    if (!isBucketId(id)) throw wrong("bucket", "buckets", `lists ${shown(id)}, which is not a bucket id`);
    return [id, bucket(rates, `buckets.${id}`)];
  });
  return inOrder(entries);
}

/** The buckets in the order of their ids: sums over them come out the same in every language. */
export function inOrder(entries: Iterable<[string, BucketRates]>): Map<string, BucketRates> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shardKeys(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong("shape", "shards", "is not a list");
  return value.map((key, i) => string(key, `shards[${i}]`));
}

/** A value as it may be shown in a message: short whatever it is. */
function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}

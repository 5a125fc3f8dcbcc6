/** One instance of an edge node: admits or throttles by the table that it was last lent. The counterpart of `crates/edge-node`. */

import { Ladder } from "./ladder.ts";
import { ceilingBurstOf, type Lease, memberRates, type NodeRates, nodeRates } from "./lease.ts";
import { isBucketId, type RateTable, RefusedTable } from "./rate-table.ts";
import type { Report } from "./report.ts";
import { Slot } from "./slot.ts";
import { accrued, type Snapshot } from "./snapshot.ts";
import { type Standing, standingOf } from "./standing.ts";
import { Member, type MemberRates, NodeBucket, type Refusal, type Split } from "./two-level.ts";

/** The bucket that serves all requests whose own cannot be kept: its id is not legal, or there are too many. */
export const OTHER = "_other";

/** What a bucket is granted before the first table. */
const NOTHING: MemberRates = { refillPerS: 0, capacity: 0, ceilingPerS: 0, ceilingBurst: 0, mustLeave: 0 };

/** How a node behaves beyond what its table says. */
export interface NodeOptions {
  /** Whether the node's bucket is empty when its first table arrives; full otherwise. */
  readonly startEmpty?: boolean;
  /** Most buckets that are kept; requests of further ones share {@link OTHER}. 20,000 when left out. */
  readonly mostBuckets?: number;
}

/** What became of the requests of one take. */
export interface Taken {
  /** Requests that may pass; all of them in shadow mode. */
  readonly admitted: number;
  /** Requests refused; in shadow mode, that would have been. */
  readonly throttled: number;
  /** Of the admitted, those on tokens of the bucket's own. */
  readonly guaranteed: number;
  /** Of the admitted, those on tokens that other buckets left. */
  readonly borrowed: number;
  /** What the throttled requests ran into. */
  readonly refusal?: Refusal;
}

/**
 * See the module. All times are milliseconds since the Unix epoch.
 *
 * Without a table it refuses everything; give it one with epoch 0 if it shall serve before the first lease.
 */
export class EdgeNode {
  readonly #startEmpty: boolean;
  readonly #mostBuckets: number;
  #bucket = new NodeBucket(0, 0, 0, false, 0);
  readonly #slots = new Map<string, Slot>();
  #lease: Lease | undefined;
  /** When the rates in force end; spares a look at the ladder at every take. */
  #nextChange = Number.POSITIVE_INFINITY;
  #admitted = 0;

  /** A node without a table. `instance` names this isolate among those of the node, if there are several. */
  constructor(
    readonly id: string,
    readonly instance?: string,
    options: NodeOptions = {},
  ) {
    this.#startEmpty = options.startEmpty ?? false;
    this.#mostBuckets = options.mostBuckets ?? 20_000;
  }

  /** Epoch of the table in force; `undefined` before the first. */
  get epoch(): number | undefined {
    return this.#lease?.table.epoch;
  }

  /** Whether what would be refused is admitted all the same. */
  get isShadow(): boolean {
    return this.#lease?.table.mode === "shadow";
  }

  /** Buckets that are kept. */
  get buckets(): number {
    return this.#slots.size;
  }

  /** The rung of the lease ladder at `nowMs`; `undefined` before the first table. */
  rung(nowMs: number): "step" | "decay" | "safe" | undefined {
    this.#advance(nowMs);
    return this.#lease?.stage.at;
  }

  /**
   * Puts the rates of `table` in force; `false` when it is the one that is. Buckets keep the tokens that they have: a
   * guarantee starts empty, and only the first table fills the node's own bucket.
   *
   * @throws RefusedTable when it is of another node, older than the one in force, or its shards are elsewhere.
   */
  adopt(table: RateTable, nowMs: number): boolean {
    if (!this.#isNewer(table)) return false;
    this.#advance(nowMs);
    const ladder = new Ladder(table);
    const isFirst = this.#lease === undefined;
    // A clock behind the engine's makes it negative.
    const stalenessMs = this.epoch ? Math.max(0, Math.round(nowMs - table.issuedMs)) : undefined;
    const lease = { table, ladder, stage: ladder.stage(nowMs), stalenessMs };
    this.#lease = lease;
    this.#nextChange = ladder.nextChange(nowMs);
    this.#list(lease, nowMs);
    if (isFirst) {
      const { refillPerS, lendable, reserve } = nodeRates(lease);
      this.#bucket = new NodeBucket(refillPerS, lendable, reserve, !this.#startEmpty, nowMs);
    }
    this.#setRates(nowMs, () => true);
    return true;
  }

  /** Decides `n` requests of `bucket` as if they came one by one at `nowMs`. */
  take(bucket: string, n: number, nowMs: number): Taken {
    return this.#take(bucket, n, nowMs, (member) => this.#bucket.takeUpTo(member, n, nowMs));
  }

  /** {@link take} for a bucket whose ceiling is kept elsewhere, for all instances: only the node's own bucket refuses. */
  takeBelowCeiling(bucket: string, n: number, nowMs: number): Taken {
    return this.#take(bucket, n, nowMs, (member) => this.#bucket.takeUpToUnmetered(member, n, nowMs));
  }

  #take(bucket: string, n: number, nowMs: number, splitBy: (member: Member) => Split): Taken {
    const slot = this.#findOrInsert(bucket, nowMs);
    this.#advance(nowMs);
    const split = splitBy(slot.member);
    const passed = split.guaranteed + split.borrowed;
    const throttled = n - passed;
    slot.offered(n, throttled, nowMs);
    this.#admitted += passed;
    return { ...split, throttled, admitted: this.isShadow ? n : passed };
  }

  /** Counts requests of `bucket` that were decided elsewhere, of which `throttled` were refused: they are demand all the same. */
  count(bucket: string, requests: number, throttled: number, nowMs: number): void {
    this.#findOrInsert(bucket, nowMs).offered(requests, throttled, nowMs);
  }

  /** Adds what became known of requests of `bucket` after they were decided. */
  record(bucket: string, retries: number, errors: number, bytes: number): void {
    const slot = this.#slots.get(bucket) ?? this.#slots.get(OTHER);
    slot?.outcome(retries, errors, bytes);
  }

  /**
   * The counts since the last report, as the window of `seconds` that began at `startMs`. Buckets that are idle and
   * indistinguishable from new ones are forgotten.
   */
  report(startMs: number, seconds: number, sequence: number): Report {
    const endMs = startMs + seconds * 1000;
    const buckets = [...this.#slots.values()].filter((slot) => slot.isCounted).map((slot) => slot.drain());
    for (const [id, slot] of this.#slots) {
      if (slot.listed === undefined && slot.member.isRested(endMs)) this.#slots.delete(id);
    }
    return {
      node: this.id,
      ...(this.instance === undefined ? {} : { instance: this.instance }),
      sequence,
      ...(this.epoch ? { epoch: this.epoch } : {}),
      ...(this.#lease?.stalenessMs === undefined ? {} : { staleness_ms: this.#lease.stalenessMs }),
      start: new Date(startMs).toISOString(),
      seconds,
      buckets,
    };
  }

  /** Tokens in the node's own bucket, the reserve for guaranteed bursts included. */
  tokens(nowMs: number): number {
    this.#advance(nowMs);
    return this.#bucket.total.tokens(nowMs);
  }

  /** Guaranteed tokens that `bucket` holds; 0 when it is not kept. */
  bucketTokens(bucket: string, nowMs: number): number {
    this.#advance(nowMs);
    return this.#slots.get(bucket)?.member.own.tokens(nowMs) ?? 0;
  }

  /** Tokens per second that this instance's bucket refills at. */
  refillPerS(nowMs: number): number {
    this.#advance(nowMs);
    return this.#rates().refillPerS;
  }

  /** Burst and rate of the ceiling of `bucket` at the whole node, not divided among instances. */
  ceiling(bucket: string): { perS: number; burst: number } {
    if (!this.#lease) return { perS: 0, burst: 0 };
    const { table } = this.#lease;
    const rates = table.buckets.get(bucket) ?? table.fallback;
    return { perS: rates.ceilingPerS, burst: ceilingBurstOf(rates, table.stepS, 1) };
  }

  /** Where `bucket` stands, for the answer's headers. */
  standing(bucket: string, nowMs: number): Standing {
    const slot = this.#findOrInsert(bucket, nowMs);
    this.#advance(nowMs);
    return standingOf(slot.member, this.#bucket, this.#lease && memberRates(slot.listed, this.#lease), nowMs);
  }

  /** What it would take to go on elsewhere as this node stands: at most `most` buckets, those at rest left out. */
  snapshot(most: number, nowMs: number): Snapshot {
    this.#advance(nowMs);
    const buckets: [string, number, number][] = [];
    for (const { id, member, listed } of this.#slots.values()) {
      if (buckets.length === most) break;
      if (listed === undefined && member.isRested(nowMs)) continue;
      buckets.push([id, member.own.tokens(nowMs), member.meter.tokens(nowMs)]);
    }
    return { at: nowMs, total: this.#bucket.total.tokens(nowMs), buckets };
  }

  /**
   * Goes on where `snapshot` left off, with what has accrued since at the rates in force. Needs a table. What was admitted
   * before is charged on top, and nothing ends up with more than it has, but for the guarantees of a node that has admitted
   * nothing yet: they resume.
   */
  restore(snapshot: Snapshot, nowMs: number): void {
    if (!this.#lease) return;
    this.#advance(nowMs);
    const { total } = this.#bucket;
    total.lower(accrued(snapshot.total, this.#rates().refillPerS, snapshot.at, nowMs) - this.#admitted, nowMs);
    for (const [id, own, meter] of snapshot.buckets) {
      const slot = this.#findOrInsert(id, nowMs);
      // A bucket that could not be kept says nothing about the one that stands for many.
      if (slot.id !== id) continue;
      const rates = memberRates(slot.listed, this.#lease);
      const used = rates.ceilingBurst - slot.member.meter.tokens(nowMs);
      slot.member.meter.lower(accrued(meter, rates.ceilingPerS, snapshot.at, nowMs) - used, nowMs);
      if (this.#admitted === 0) slot.member.resume(rates, accrued(own, rates.refillPerS, snapshot.at, nowMs), nowMs);
    }
  }

  #isNewer(table: RateTable): boolean {
    if (table.node !== this.id) throw new RefusedTable("node", `the rate table is for node ${table.node}, this is ${this.id}`);
    if (this.epoch !== undefined && table.epoch < this.epoch) {
      throw new RefusedTable("epoch", `the rate table has epoch ${table.epoch}, this node has enforced epoch ${this.epoch}`);
    }
    if (table.epoch === this.epoch) return false;
    if (table.shards.length > 0) throw new RefusedTable("torn", `the buckets of the rate table are in ${table.shards.length} shards`);
    return true;
  }

  /** Walks down the ladder to `nowMs`, each rung settled at its own rates. */
  #advance(nowMs: number): void {
    while (this.#lease && nowMs >= this.#nextChange) {
      const at = this.#nextChange;
      const { ladder } = this.#lease;
      this.#lease = { ...this.#lease, stage: ladder.stage(at) };
      this.#nextChange = ladder.nextChange(at);
      // Ceilings and what must be left are the same on all rungs, and unlisted buckets have nothing else.
      this.#setRates(at, (slot) => slot.listed !== undefined);
    }
  }

  #rates(): NodeRates {
    return this.#lease ? nodeRates(this.#lease) : { refillPerS: 0, lendable: 0, reserve: 0 };
  }

  #setRates(nowMs: number, affected: (slot: Slot) => boolean): void {
    if (!this.#lease) return;
    for (const slot of this.#slots.values()) {
      if (affected(slot)) slot.member.set(memberRates(slot.listed, this.#lease), nowMs);
    }
    const { refillPerS, lendable, reserve } = this.#rates();
    this.#bucket.set(refillPerS, lendable, reserve, nowMs);
  }

  /** Marks which buckets the table lists, and makes those that are not kept yet: their guarantee accrues from now on. */
  #list(lease: Lease, nowMs: number): void {
    const { buckets } = lease.table;
    for (const slot of this.#slots.values()) slot.listed = buckets.get(slot.id);
    for (const [id, rates] of buckets) {
      if (!this.#slots.has(id)) this.#slots.set(id, new Slot(id, new Member(memberRates(rates, lease), nowMs), rates));
    }
  }

  #findOrInsert(bucket: string, nowMs: number): Slot {
    const found = this.#slots.get(bucket);
    if (found) return found;
    if (bucket !== OTHER && (this.#slots.size >= this.#mostBuckets || !isBucketId(bucket))) return this.#findOrInsert(OTHER, nowMs);
    this.#advance(nowMs);
    const rates = this.#lease ? memberRates(undefined, this.#lease) : NOTHING;
    const slot = new Slot(bucket, new Member(rates, nowMs));
    this.#slots.set(bucket, slot);
    return slot;
  }
}

/**
 * The location's rate table: from its cache, and behind the answer from KV Store.
 *
 * A sandbox starts with nothing, so the cache is the location's memory: the last good table, and a mark that it has been read
 * lately. Whoever finds the mark gone sets it and reads; all others go on with the table at hand.
 */

import { parseTable, type RateStore, type RateTable, RefusedTable, readTable, type Sleep, within } from "@tidegate/core";

/** Text under keys, for all sandboxes of a location, for some seconds. */
export interface LocationCache {
  readonly get: (key: string) => Promise<string | undefined>;
  readonly set: (key: string, text: string, ttlS: number) => void;
}

/** A table outlives an outage of the store for so long; its own lease says what it grants then. */
const KEPT_S = 86_400;
/** While one sandbox reads, the others leave it alone. */
const READING_S = 5;
const DEADLINE_MS = 5_000;

/** See the module. */
export class Rates {
  #held: RateTable | undefined;

  constructor(
    private readonly node: string,
    private readonly cache: LocationCache,
    private readonly store: RateStore,
    private readonly everyS: number,
    private readonly sleep: Sleep,
  ) {}

  /** The table at hand; `undefined` when this location has none yet. */
  async current(): Promise<RateTable | undefined> {
    const text = await this.cache.get(this.#key("table"));
    if (text === undefined) return this.#held;
    try {
      const { epoch, table } = JSON.parse(text) as { epoch: number; table: string };
      // A table that this sandbox has read before need not be read again.
      if (this.#held === undefined || epoch > this.#held.epoch) this.#held = parseTable(table);
    } catch {
      // Another version of this program may have written it; the next read writes it anew.
    }
    return this.#held;
  }

  /** Whether it is this request's turn to read; if so, no other one's for a while. */
  async isDue(): Promise<boolean> {
    if ((await this.cache.get(this.#key("read"))) !== undefined) return false;
    this.cache.set(this.#key("read"), "now", READING_S);
    return true;
  }

  /**
   * Reads the store, for no longer than `deadlineMs`, and keeps what is newer than the table at hand.
   *
   * @throws RefusedTable, DeadlineExceeded, or whatever the store throws; the table at hand stays.
   */
  async refresh(deadlineMs: number = DEADLINE_MS): Promise<RateTable | undefined> {
    const table = await within(readTable(this.store, this.node), deadlineMs, this.sleep, "the store of rates");
    this.cache.set(this.#key("read"), "lately", this.everyS);
    const held = await this.current();
    if (table === undefined) return held;
    if (table.node !== this.node) throw new RefusedTable("node", `the rate table is for node ${table.node}, this is ${this.node}`);
    if (held !== undefined && table.epoch < held.epoch) {
      throw new RefusedTable("epoch", `the rate table has epoch ${table.epoch}, this location has enforced epoch ${held.epoch}`);
    }
    this.#held = table;
    this.cache.set(this.#key("table"), JSON.stringify({ epoch: table.epoch, table: tableText(table) }), KEPT_S);
    return table;
  }

  #key(what: string): string {
    return `tidegate/${what}/${this.node}`;
  }
}

/** The table as the contract has it, shards put together: the other way round from `parseTable`. */
function tableText(table: RateTable): string {
  const rates = ({ refillPerS, capacity, safePerS }: RateTable["pool"]) => ({ refill_per_s: refillPerS, capacity, safe_per_s: safePerS });
  const bucket = (b: RateTable["fallback"]) => {
    return { ...rates(b), ceiling_per_s: b.ceilingPerS, ceiling_burst: b.ceilingBurst, must_leave: b.mustLeave };
  };
  return JSON.stringify({
    version: 1,
    node: table.node,
    epoch: table.epoch,
    issued_at: new Date(table.issuedMs).toISOString(),
    step_s: table.stepS,
    expires_at: new Date(table.expiresMs).toISOString(),
    mode: table.mode,
    instances: table.instances,
    pool: rates(table.pool),
    default: bucket(table.fallback),
    buckets: Object.fromEntries([...table.buckets].map(([id, b]) => [id, bucket(b)])),
  });
}

/** What one isolate holds in memory: the node, and all that goes on behind its answers. */

import { EdgeNode, firstTable, Notices, Poller, REPORT_BOUNDS, Reporter, UsageMeter, within } from "@tidegate/core";
import type { Env } from "./env.ts";
import type { Platform } from "./platform.ts";
import { ratesStore } from "./rates-store.ts";
import { Sealer } from "./seal.ts";
import { nodeAt, type Settings } from "./settings.ts";
import { StateKeeper } from "./state-keeper.ts";

/** Each kind of trouble is logged once in this time. */
const NOTICE_EVERY_MS = 60_000;
/** How long Workers KV may take for a read in the background. */
export const RATES_DEADLINE_MS = 10_000;
/** Buckets told apart in one minute of usage. */
const USAGE_BUCKETS = 20_000;

/** See the module. */
export class Isolate {
  readonly node: EdgeNode;
  readonly poller: Poller;
  readonly reporter: Reporter;
  readonly usage = new UsageMeter(USAGE_BUCKETS);
  readonly notices: Notices;
  #keeper: StateKeeper | undefined;
  #isWarm = false;

  /** An isolate at the location `colo`. Not in the global scope: there is no randomness to take an instance's name from. */
  constructor(
    private readonly env: Env,
    readonly settings: Settings,
    colo: unknown,
    readonly platform: Platform,
  ) {
    this.node = new EdgeNode(nodeAt(settings.node, colo), crypto.randomUUID());
    const times = { everyMs: settings.ratesEveryMs, deadlineMs: RATES_DEADLINE_MS };
    const store = ratesStore(env.RATES, settings.ratesCacheTtlS);
    this.poller = new Poller(times, { store, ...platform });
    this.reporter = new Reporter({ ...REPORT_BOUNDS, windowS: settings.windowS }, platform.random);
    this.notices = new Notices((line) => platform.log({ ...line, node: this.node.id }), NOTICE_EVERY_MS);
  }

  /** What keeps the buckets; `undefined` without a store or keys, or before the isolate is warm. */
  get keeper(): StateKeeper | undefined {
    return this.#keeper;
  }

  /** Whether rates and state have been asked for: from then on no request waits for a store. */
  get isWarm(): boolean {
    return this.#isWarm;
  }

  /**
   * Asks for rates and state, for no longer than the cold wait. Each of the first requests asks by itself, since none may wait
   * for what another one has begun; the first to come back decides, and what comes later is left to the next reads.
   *
   * Without rates the node begins on those of its settings. With state that is there but cannot be had it begins empty: a store
   * that fails must not be a way to a full bucket.
   */
  async warmUp(defer: (work: Promise<unknown>) => void): Promise<void> {
    const { coldWaitMs } = this.settings;
    const { sleep } = this.platform;
    const read = this.poller.read(this.node);
    // What comes too late for this request is in time for the next.
    defer(read);
    const [rates, state] = await Promise.allSettled([
      within(read, coldWaitMs, sleep, "the store of rates"),
      within(this.#loadState(), coldWaitMs, sleep, "the store of state"),
    ]);
    if (this.#isWarm) return;
    this.#isWarm = true;
    const now = this.platform.now();
    if (rates.status === "rejected") this.notices.failed("rates_unreadable", rates.reason, now);
    else if (rates.value.kind === "failed") this.notices.failed("rates_unreadable", rates.value.error, now);
    if (this.node.epoch === undefined) this.node.adopt(firstTable(this.node.id, this.settings, now), now);
    if (state.status === "rejected") {
      this.notices.failed("state_unreadable", state.reason, now);
      this.node.restore({ at: now, total: 0, buckets: [] }, now);
    } else if (state.value !== undefined) {
      this.node.restore(state.value, now);
    }
  }

  async #loadState() {
    const { STATE, STATE_KEYS } = this.env;
    if (STATE === undefined || !STATE_KEYS) return undefined;
    const { stateEveryMs, stateExpireS } = this.settings;
    this.#keeper ??= new StateKeeper(STATE, await Sealer.from(STATE_KEYS), stateEveryMs, stateExpireS, this.platform.random);
    return this.#keeper.load(this.node.id);
  }
}

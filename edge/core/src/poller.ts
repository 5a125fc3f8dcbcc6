/**
 * Says when to read the rate table again, and reads it: stale-while-revalidate.
 *
 * Decisions go on with the table at hand; whoever finds a read due starts one in the background. Reads are jittered, so that
 * workers which started together do not read together, and a read that fails is tried again sooner, then less and less often.
 */

import { backoffMs, jittered, type Random } from "./backoff.ts";
import { type Sleep, within } from "./deadline.ts";
import type { EdgeNode } from "./node.ts";
import { type RateStore, readTable } from "./read-table.ts";

/** What became of a read. `missing`: the store has no table of this node. */
export type ReadOutcome = { readonly kind: "adopted" | "current" | "missing" } | { readonly kind: "failed"; readonly error: unknown };

/** When and how long to read; milliseconds. */
export interface PollTimes {
  /** From one read to the next, moved by up to a fifth either way. */
  readonly everyMs: number;
  /** What a read may take. */
  readonly deadlineMs: number;
}

/** What the poller needs from outside. */
export interface PollPorts {
  readonly store: RateStore;
  readonly random: Random;
  readonly sleep: Sleep;
  readonly now: () => number;
}

/** Share of the interval by which a read is moved. */
const JITTER = 0.2;
/** Wait after the first failure. */
const FIRST_RETRY_MS = 2_000;

/** See the module. */
export class Poller {
  #dueMs = 0;
  #failures = 0;
  /** When the read under way is given up for lost; a platform may drop the work of a request that went away. */
  #busyUntilMs = 0;

  constructor(
    readonly times: PollTimes,
    private readonly ports: PollPorts,
  ) {}

  /** Reads that failed since the last that did not. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether a read should be started at `nowMs`. */
  isDue(nowMs: number): boolean {
    const { everyMs, deadlineMs } = this.times;
    // A clock that was set back must not put the next read off for as long.
    const isSetBack = nowMs < this.#dueMs - 2 * everyMs;
    if (nowMs < this.#busyUntilMs && nowMs >= this.#busyUntilMs - 2 * deadlineMs) return false;
    return nowMs >= this.#dueMs || isSetBack;
  }

  /** Reads the table of `node` and has it adopted. Never throws: a node keeps what it has. */
  async read(node: EdgeNode): Promise<ReadOutcome> {
    const { store, sleep, now } = this.ports;
    const { deadlineMs } = this.times;
    this.#busyUntilMs = now() + 2 * deadlineMs;
    const outcome = await this.#attempt(() => within(readTable(store, node.id), deadlineMs, sleep, "the store of rates"), node);
    this.#busyUntilMs = 0;
    this.#plan(outcome);
    return outcome;
  }

  async #attempt(fetch: () => ReturnType<typeof readTable>, node: EdgeNode): Promise<ReadOutcome> {
    try {
      const table = await fetch();
      if (table === undefined) return { kind: "missing" };
      return { kind: node.adopt(table, this.ports.now()) ? "adopted" : "current" };
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  #plan(outcome: ReadOutcome): void {
    const { random, now } = this.ports;
    const { everyMs } = this.times;
    this.#failures = outcome.kind === "failed" ? this.#failures + 1 : 0;
    const wait = this.#failures > 0 ? backoffMs(this.#failures, FIRST_RETRY_MS, everyMs, random) : jittered(everyMs, JITTER, random);
    this.#dueMs = now() + wait;
  }
}

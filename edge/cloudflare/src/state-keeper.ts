/**
 * Keeps the node's buckets in Workers KV, so that a cold start resumes: one value per node, written behind the answers.
 *
 * Isolates of one node write the same key; the last one wins, and each is as good an estimate of the others' buckets as any. What
 * is written within one interval goes into one write. Where another isolate has just written, Workers KV refuses with 429: this
 * one then waits longer.
 */

import { backoffMs, type EdgeNode, jittered, parseSnapshot, type Random, type Snapshot } from "@tidegate/core";
import { SealError, type Sealer } from "./seal.ts";

/** What a listing shows of the state of a node, without opening it. */
export interface StateMark {
  /** When it was written, milliseconds since the Unix epoch. */
  readonly at: number;
  /** Id of the key that sealed it. */
  readonly key: string;
}

/** Keys of the state in the store begin so. */
export const STATE_PREFIX = "tidegate-v1-state-";

/** Most buckets in one value: what is at rest is left out, and a value of this many seals in about a millisecond. */
const MOST_BUCKETS = 10_000;
/** What gathers into the first write after a rest. */
const GATHER_MS = 1_000;
/** The platform ends work behind an answer after 30 s. */
const LONGEST_WAIT_MS = 25_000;
/** Longest time between writes while the store refuses them. */
const LONGEST_BACKOFF_MS = 300_000;

/** See the module. */
export class StateKeeper {
  #nextMs = 0;
  #busyUntilMs = 0;
  #failures = 0;

  constructor(
    private readonly kv: KVNamespace,
    private readonly sealer: Sealer,
    private readonly everyMs: number,
    private readonly expireS: number,
    private readonly random: Random,
  ) {}

  /**
   * Where `node` left off; `undefined` when the store has nothing of it.
   *
   * @throws SealError when what is there cannot be opened; whatever the store throws.
   */
  async load(node: string): Promise<Snapshot | undefined> {
    const name = STATE_PREFIX + node;
    const sealed = await this.kv.get(name, "arrayBuffer");
    if (sealed === null) return undefined;
    const snapshot = parseSnapshot(await this.sealer.open(sealed, name));
    if (snapshot === undefined) throw new SealError("the value is no snapshot of buckets");
    return snapshot;
  }

  /** Milliseconds after which a write should be started that an admitted request at `nowMs` calls for; `undefined` for none. */
  due(nowMs: number): number | undefined {
    const isBusy = nowMs < this.#busyUntilMs && nowMs >= this.#busyUntilMs - 3 * LONGEST_WAIT_MS;
    const wait = Math.max(GATHER_MS, this.#nextMs - nowMs);
    if (isBusy || (wait > LONGEST_WAIT_MS && nowMs >= this.#nextMs - LONGEST_BACKOFF_MS)) return undefined;
    const bounded = Math.min(wait, LONGEST_WAIT_MS);
    // A platform may drop the write with the request that started it: after this time another one may start.
    this.#busyUntilMs = nowMs + bounded + LONGEST_WAIT_MS;
    return bounded;
  }

  /**
   * Writes where `node` stands.
   *
   * @throws whatever the store throws; the next write is put off.
   */
  async write(node: EdgeNode, nowMs: number): Promise<void> {
    const name = STATE_PREFIX + node.id;
    this.#nextMs = nowMs + jittered(this.everyMs, 0.1, this.random) + this.everyMs * 0.1;
    try {
      const sealed = await this.sealer.seal(JSON.stringify(node.snapshot(MOST_BUCKETS, nowMs)), name);
      const mark: StateMark = { at: nowMs, key: this.sealer.ids[0] ?? "" };
      await this.kv.put(name, sealed, { expirationTtl: this.expireS, metadata: mark });
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#nextMs = nowMs + this.everyMs + backoffMs(this.#failures, this.everyMs, LONGEST_BACKOFF_MS, this.random);
      throw error;
    } finally {
      this.#busyUntilMs = 0;
    }
  }
}

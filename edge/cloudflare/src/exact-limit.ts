/** The Durable Object that keeps one key's ceiling exactly, for all isolates of a node: it decides one request after another. */

import { DurableObject } from "cloudflare:workers";
import { TokenBucket } from "@tidegate/core";

/** What the object decided. Times are milliseconds. */
export interface ExactVerdict {
  readonly isAdmitted: boolean;
  /** Whole requests that would pass now. */
  readonly remaining: number;
  /** Until one would pass; infinite when none ever will. */
  readonly retryMs: number;
  /** Until the whole burst is back. */
  readonly refillMs: number;
}

/** What is on disk: tokens, and when there were so many. */
type Kept = readonly [tokens: number, atMs: number];

const KEY = "bucket";

/** See the module. */
export class ExactLimit extends DurableObject {
  #bucket: TokenBucket | undefined;
  #kept: Kept | undefined;

  constructor(state: DurableObjectState, env: unknown) {
    super(state, env as Cloudflare.Env);
    state.blockConcurrencyWhile(async () => {
      this.#kept = await state.storage.get<Kept>(KEY);
    });
  }

  /**
   * Decides one request under a ceiling of `perS` and `burst` tokens. The answer leaves once it is on disk; a refusal writes
   * nothing. After `expireS` seconds without an admitted request the object forgets the key.
   */
  async take(perS: number, burst: number, expireS: number): Promise<ExactVerdict> {
    const now = Date.now();
    const bucket = this.#at(perS, burst, now);
    const isAdmitted = bucket.take(1, now);
    if (isAdmitted) await this.#keep(bucket, now, expireS);
    return {
      isAdmitted,
      remaining: Math.max(0, Math.floor(bucket.tokens(now))),
      retryMs: bucket.msUntil(1, now),
      refillMs: bucket.msUntil(burst, now),
    };
  }

  /** Gives back a token whose request was refused elsewhere. */
  async giveBack(): Promise<void> {
    this.#bucket?.refund(1);
  }

  override async alarm(): Promise<void> {
    const idleUntil = await this.ctx.storage.get<number>("idle-until");
    if (idleUntil !== undefined && Date.now() < idleUntil) return this.ctx.storage.setAlarm(idleUntil);
    await this.ctx.storage.deleteAll();
    this.#bucket = undefined;
    this.#kept = undefined;
  }

  #at(perS: number, burst: number, now: number): TokenBucket {
    if (this.#bucket) {
      this.#bucket.set(perS, burst, now);
      return this.#bucket;
    }
    const [tokens, atMs] = this.#kept ?? [burst, now];
    // A debt cannot come up: the object takes no more than there is.
    this.#bucket = new TokenBucket(perS, burst, tokens, Math.min(atMs, now));
    return this.#bucket;
  }

  async #keep(bucket: TokenBucket, now: number, expireS: number): Promise<void> {
    const { storage } = this.ctx;
    const kept: Kept = [bucket.tokens(now), now];
    await storage.put({ [KEY]: kept, "idle-until": now + expireS * 1000 });
    if ((await storage.getAlarm()) === null) await storage.setAlarm(now + expireS * 1000);
  }
}

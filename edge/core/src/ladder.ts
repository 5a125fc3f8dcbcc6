/** The lease ladder: what a rate table grants at a time, down to its safe rates. The counterpart of `edge-node/src/ladder.rs`. */

import { type RateTable, rateAt } from "./rate-table.ts";

/** Stairs in which rates decay from the last leased one to the safe one. */
export const DECAY_STAIRS = 60;

/** A rung, on which all rates are constant. */
export type Stage =
  /** This step of the schedules holds. */
  | { readonly at: "step"; readonly step: number }
  /** The lease has ended; rates have gone `stair` of {@link DECAY_STAIRS} from those of step `from` to the safe ones. */
  | { readonly at: "decay"; readonly from: number; readonly stair: number }
  /** The safe rates hold until a newer table comes. */
  | { readonly at: "safe" };

/** When the rates of one table change. */
export class Ladder {
  readonly #issuedMs: number;
  readonly #stepMs: number;
  /** Last step that any schedule tells apart. */
  readonly #lastStep: number;
  readonly #expiresMs: number;

  constructor(table: RateTable) {
    let longest = table.pool.refillPerS.length;
    for (const { refillPerS } of table.buckets.values()) longest = Math.max(longest, refillPerS.length);
    this.#issuedMs = table.issuedMs;
    this.#stepMs = Math.max(1, table.stepS) * 1000;
    this.#lastStep = Math.max(0, longest - 1);
    this.#expiresMs = table.expiresMs;
  }

  /** The rung at `nowMs`. */
  stage(nowMs: number): Stage {
    if (nowMs < this.#expiresMs) return { at: "step", step: this.#stepAt(nowMs) };
    const duration = this.#durationMs();
    // Each stair holds the rate of its end, so that a node never has more than the straight line would give it.
    const stair = duration === 0 ? DECAY_STAIRS : 1 + Math.floor(((nowMs - this.#expiresMs) * DECAY_STAIRS) / duration);
    if (stair >= DECAY_STAIRS) return { at: "safe" };
    return { at: "decay", from: this.#stepAt(this.#expiresMs - 1), stair };
  }

  /** When the rung that holds at `nowMs` ends; infinite on the last. */
  nextChange(nowMs: number): number {
    const stage = this.stage(nowMs);
    if (stage.at === "safe") return Number.POSITIVE_INFINITY;
    if (stage.at === "decay") return this.#expiresMs + Math.ceil((this.#durationMs() * stage.stair) / DECAY_STAIRS);
    if (stage.step >= this.#lastStep) return this.#expiresMs;
    return Math.min(this.#expiresMs, this.#issuedMs + (stage.step + 1) * this.#stepMs);
  }

  #durationMs(): number {
    return Math.max(0, this.#expiresMs - this.#issuedMs);
  }

  #stepAt(ms: number): number {
    return Math.min(Math.floor(Math.max(0, ms - this.#issuedMs) / this.#stepMs), this.#lastStep);
  }
}

/** The rate on a rung, tokens per second. */
export function rateOn(stage: Stage, schedule: readonly number[], safePerS: number): number {
  if (stage.at === "step") return rateAt(schedule, stage.step);
  if (stage.at === "safe") return safePerS;
  const leased = rateAt(schedule, stage.from);
  return leased + ((safePerS - leased) * stage.stair) / DECAY_STAIRS;
}

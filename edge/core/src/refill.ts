/** How tokens accrue: fixed-point units and the line they follow, exact in doubles, the same as `crates/token-bucket`. */

/** Units in one token; balances are whole numbers of units. */
export const UNITS_PER_TOKEN = 1_000_000;

/** Nanotokens per second times milliseconds, in one unit. */
const PARTS_PER_UNIT = 1_000_000;

/** Most tokens that a bucket may hold, and most tokens per second that it may gain. */
const MOST = 1e9;

/** Accrual, in units, from which every bucket is full whatever it owed; doubles are exact up to twice that. */
export const AMPLE = 2 ** 52;

/** `tokens` in units, to the nearest; 0 for what is negative or not finite, and at most 1e9 tokens. */
export function units(tokens: number): number {
  return Math.floor(sane(tokens) * UNITS_PER_TOKEN + 0.5);
}

function sane(amount: number): number {
  return Number.isFinite(amount) && amount > 0 ? Math.min(amount, MOST) : 0;
}

/** What has accrued on a {@link Line} up to a moment. */
export interface Mark {
  /** Whole units, at most {@link AMPLE}. */
  readonly units: number;
  /** Parts of the unit that comes next, below a million. */
  readonly parts: number;
}

/** Refill at one rate from one moment on, under one capacity. */
export class Line {
  /** Capacity in units. */
  readonly capacity: number;
  /** Slope in nanotokens per second, as `coarse` * 1e6 + `fine`, so that products with times stay exact. */
  readonly #coarse: number;
  readonly #fine: number;

  /**
   * A line that holds from `sinceMs` on, with `parts` of a unit already accrued. Rates and capacities that are negative or not
   * finite count as 0.
   */
  constructor(
    readonly sinceMs: number,
    readonly parts: number,
    readonly refillPerS: number,
    readonly tokens: number,
  ) {
    const nanotokensPerS = Math.floor(sane(refillPerS) * 1e9 + 0.5);
    this.#fine = nanotokensPerS % 1e6;
    this.#coarse = (nanotokensPerS - this.#fine) / 1e6;
    this.capacity = units(tokens);
  }

  /** What has accrued from `sinceMs` to `nowMs`; nothing but the start for any earlier time. */
  at(nowMs: number): Mark {
    const elapsed = Math.max(0, nowMs - this.sinceMs);
    const short = elapsed % PARTS_PER_UNIT;
    const parts = this.parts + this.#fine * short;
    const left = parts % PARTS_PER_UNIT;
    const whole = this.#coarse * elapsed + this.#fine * ((elapsed - short) / PARTS_PER_UNIT) + (parts - left) / PARTS_PER_UNIT;
    return { units: Math.min(whole, AMPLE), parts: left };
  }
}

/** A time that a bucket can reckon with: whole milliseconds, 0 for what is before the epoch or no number. */
export function millis(nowMs: number): number {
  return nowMs > 0 ? Math.floor(nowMs) : 0;
}

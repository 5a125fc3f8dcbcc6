/** One token bucket; the counterpart of `TokenBucket` in `crates/token-bucket`, with time in milliseconds. */

import { AMPLE, Line, millis, UNITS_PER_TOKEN, units } from "./refill.ts";

/** Deepest debt, in units: what accrues before {@link AMPLE} pays it off and fills the bucket. */
const DEEPEST = 2 ** 50;

/**
 * Refills at a rate, holds at most its capacity, gives tokens to whoever takes first.
 *
 * Amounts are fixed point, a millionth of a token; what accrues below that is carried along. Rates, capacities and amounts that
 * are NaN, infinite or negative count as 0, and none is above 1e9. A time that stands still or runs backwards refills nothing.
 */
export class TokenBucket {
  #line: Line;
  /** Balance where the line starts, in units, less what was taken since. */
  #base: number;

  /** A bucket that holds `tokens`, or its `capacity` if that is less, at `nowMs`. */
  constructor(refillPerS: number, capacity: number, tokens: number, nowMs: number) {
    this.#line = new Line(millis(nowMs), 0, refillPerS, capacity);
    this.#base = Math.min(units(tokens), this.#line.capacity);
  }

  /** Takes `n` tokens if at least `reserve` are left, or none. */
  take(n: number, nowMs: number, reserve = 0): boolean {
    const cost = costOf(n);
    return cost === 0 || this.#spend(nowMs, (held) => (cost <= held - units(reserve) ? cost : 0)) !== 0;
  }

  /** Takes as many of `n` tokens as leave at least `reserve`, and returns their number. */
  takeUpTo(n: number, nowMs: number, reserve = 0): number {
    return this.takeUpToAboveUnits(n, units(reserve), nowMs);
  }

  /** {@link takeUpTo} with a reserve in units, which may be negative. */
  takeUpToAboveUnits(n: number, reserve: number, nowMs: number): number {
    const most = costOf(n);
    const spent = this.#spend(nowMs, (held) => {
      const whole = Math.max(0, held - reserve);
      return Math.min(whole - (whole % UNITS_PER_TOKEN), most);
    });
    return spent / UNITS_PER_TOKEN;
  }

  /** Takes `n` tokens whether they are there or not; refill pays off the debt first. */
  charge(n: number, nowMs: number): void {
    this.#spend(nowMs, () => costOf(n));
  }

  /** Gives back `n` tokens that were taken; what does not fit below the capacity is lost. */
  refund(n: number): void {
    this.#base = Math.min(this.#base + costOf(n), AMPLE);
  }

  /**
   * Changes rate and capacity at `nowMs`. The time until then is settled at the old rate; a smaller capacity clips what the
   * bucket holds, a larger one adds nothing.
   */
  set(refillPerS: number, capacity: number, nowMs: number): void {
    const old = this.#line;
    const now = Math.max(millis(nowMs), old.sinceMs);
    const mark = old.at(now);
    this.#line = new Line(now, mark.parts, refillPerS, capacity);
    const most = Math.min(old.capacity, this.#line.capacity);
    const held = this.#base + mark.units;
    // Parts of a unit that are carried on count as a whole one where the bucket overflows, so that it never holds more.
    this.#base = held > most ? most - roundedUp(mark.parts) : held;
  }

  /** Leaves at most `tokens` in the bucket at `nowMs`; adds nothing. */
  lower(tokens: number, nowMs: number): void {
    const excess = this.#held(nowMs) - Math.floor(tokens * UNITS_PER_TOKEN);
    if (excess > 0) this.#spend(nowMs, () => excess);
  }

  /** Tokens that the bucket holds at `nowMs`; negative when it is in debt. */
  tokens(nowMs: number): number {
    return this.#held(nowMs) / UNITS_PER_TOKEN;
  }

  /** Whether it holds its whole capacity at `nowMs`. */
  isFull(nowMs: number): boolean {
    return this.#held(nowMs) === this.#line.capacity;
  }

  /** Milliseconds from `nowMs` until it holds `tokens`; infinite when it never will. */
  msUntil(tokens: number, nowMs: number): number {
    const missing = tokens - this.tokens(nowMs);
    if (missing <= 0) return 0;
    if (units(tokens) > this.#line.capacity || !(this.#line.refillPerS > 0)) return Number.POSITIVE_INFINITY;
    return Math.ceil((missing / this.#line.refillPerS) * 1000);
  }

  #held(nowMs: number): number {
    return Math.min(this.#base + this.#line.at(millis(nowMs)).units, this.#line.capacity);
  }

  /** Spends what `cost` asks for, in units, seeing the balance; returns it. */
  #spend(nowMs: number, cost: (held: number) => number): number {
    const now = millis(nowMs);
    const mark = this.#line.at(now);
    const held = this.#base + mark.units;
    const { capacity } = this.#line;
    const spent = cost(Math.min(held, capacity));
    if (spent === 0) return 0;
    const base = held > capacity ? capacity - mark.units - roundedUp(mark.parts) : this.#base;
    this.#base = Math.max(base - spent, -DEEPEST - mark.units);
    if (mark.units >= DEEPEST) this.#rebase(now);
    return spent;
  }

  /** Starts the line anew where it is, before sums along it leave the exact range of doubles. */
  #rebase(now: number): void {
    const { refillPerS, tokens } = this.#line;
    const mark = this.#line.at(now);
    this.#base += mark.units;
    this.#line = new Line(now, mark.parts, refillPerS, tokens);
  }
}

function roundedUp(parts: number): number {
  return parts > 0 ? 1 : 0;
}

/** `n` requests in units; at most what pays off the deepest debt. */
function costOf(n: number): number {
  return n > 0 ? Math.min(Math.floor(n) * UNITS_PER_TOKEN, DEEPEST) : 0;
}

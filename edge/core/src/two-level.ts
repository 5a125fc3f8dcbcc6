/**
 * The two-level take: a node's bucket and the members that share it.
 *
 * A member with tokens of its own is *guaranteed*: its take may eat into the node's reserve, which is as large as all the
 * members' bursts together. A member without *borrows*: it leaves the reserve whole, and on top what it must leave to the other
 * members, and stays below its ceiling. Whatever the members do, the node admits no more than its own bucket holds.
 */

import { UNITS_PER_TOKEN, units } from "./refill.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What a request without guaranteed tokens ran into: the member's own ceiling, or a node that has nothing left to lend it. */
export type Refusal = "ceiling" | "pool";

/** Guarantee and ceiling of a member, and what it leaves to others. */
export interface MemberRates {
  /** Guaranteed tokens per second. */
  readonly refillPerS: number;
  /** Guaranteed burst, in tokens. */
  readonly capacity: number;
  /** Tokens per second from which it may not borrow more. */
  readonly ceilingPerS: number;
  /** Tokens that it may reach at once on top, once rested. */
  readonly ceilingBurst: number;
  /** Tokens that it must leave to others when it borrows, on top of the reserve. */
  readonly mustLeave: number;
}

/** How a take of several requests was split. */
export interface Split {
  /** Requests admitted with tokens of the member's own. */
  readonly guaranteed: number;
  /** Requests admitted with tokens that others left. */
  readonly borrowed: number;
  /** What refused the rest; absent when there is no rest. */
  readonly refusal?: Refusal;
}

/** Units that rounding can leave the node's bucket short of its members' tokens. */
const ROUNDING = 2;

/** One of those who share a node's bucket. */
export class Member {
  #own: TokenBucket;
  /** Counts all that is admitted against the ceiling. */
  readonly meter: TokenBucket;
  /** Units. */
  #mustLeave: number;

  /** A member that holds no guaranteed tokens yet and has its whole ceiling before it. */
  constructor(rates: MemberRates, nowMs: number) {
    this.#own = new TokenBucket(rates.refillPerS, rates.capacity, 0, nowMs);
    this.meter = new TokenBucket(rates.ceilingPerS, rates.ceilingBurst, rates.ceilingBurst, nowMs);
    this.#mustLeave = units(rates.mustLeave);
  }

  /** Guaranteed tokens. */
  get own(): TokenBucket {
    return this.#own;
  }

  /** Units above the reserve that it leaves in the node's bucket when it borrows. */
  get mustLeaveUnits(): number {
    return this.#mustLeave;
  }

  /** Changes guarantee and ceiling as {@link TokenBucket.set} does, and what it must leave. */
  set(rates: MemberRates, nowMs: number): void {
    this.own.set(rates.refillPerS, rates.capacity, nowMs);
    this.meter.set(rates.ceilingPerS, rates.ceilingBurst, nowMs);
    this.#mustLeave = units(rates.mustLeave);
  }

  /** Goes on with `tokens` guaranteed ones, or the capacity if that is less. */
  resume(rates: MemberRates, tokens: number, nowMs: number): void {
    this.#own = new TokenBucket(rates.refillPerS, rates.capacity, tokens, nowMs);
  }

  /** Whether it has its whole ceiling before it, as a new member has. */
  isRested(nowMs: number): boolean {
    return this.meter.isFull(nowMs);
  }
}

/** A node's bucket: refill is all that the node is leased, capacity is what may be borrowed plus the reserve. */
export class NodeBucket {
  readonly total: TokenBucket;
  #reserve: number;

  /** `reserve` is for guaranteed bursts, `lendable` comes on top. It starts full, or empty when `full` is false. */
  constructor(refillPerS: number, lendable: number, reserve: number, full: boolean, nowMs: number) {
    const capacity = lendable + reserve;
    this.total = new TokenBucket(refillPerS, capacity, full ? capacity : 0, nowMs);
    this.#reserve = units(reserve);
  }

  /** Changes rate and capacity as {@link TokenBucket.set} does, and the reserve with them. */
  set(refillPerS: number, lendable: number, reserve: number, nowMs: number): void {
    this.total.set(refillPerS, lendable + reserve, nowMs);
    this.#reserve = units(reserve);
  }

  /** Tokens that `member` leaves when it borrows: those that only guaranteed takes may touch, and its own to leave. */
  leftBy(member: Member): number {
    return this.#leftBy(member) / UNITS_PER_TOKEN;
  }

  /** Decides `n` requests of `member` as if they came one by one at `nowMs`. */
  takeUpTo(member: Member, n: number, nowMs: number): Split {
    const guaranteed = this.#takeGuaranteed(member, n, nowMs);
    const rest = this.#borrow(member, n - guaranteed, nowMs);
    return { guaranteed, ...rest };
  }

  /** {@link takeUpTo} for a member whose ceiling is kept elsewhere: the meter counts and refuses nothing. */
  takeUpToUnmetered(member: Member, n: number, nowMs: number): Split {
    const guaranteed = this.#takeGuaranteed(member, n, nowMs);
    const borrowed = this.total.takeUpToAboveUnits(n - guaranteed, this.#leftBy(member), nowMs);
    member.meter.charge(borrowed, nowMs);
    return guaranteed + borrowed < n ? { guaranteed, borrowed, refusal: "pool" } : { guaranteed, borrowed };
  }

  /** Takes `n` tokens for one request of `member`, all guaranteed or all borrowed, or none. */
  take(member: Member, n: number, nowMs: number): Split {
    const guaranteed = this.#takeGuaranteed(member, n, nowMs);
    if (guaranteed === n) return { guaranteed, borrowed: 0 };
    this.giveBack(member, { guaranteed, borrowed: 0 });
    const { borrowed, refusal } = this.#borrow(member, n, nowMs);
    if (borrowed === n) return { guaranteed: 0, borrowed };
    this.giveBack(member, { guaranteed: 0, borrowed });
    return { guaranteed: 0, borrowed: 0, refusal: refusal ?? "pool" };
  }

  /** Undoes a take. */
  giveBack(member: Member, { guaranteed, borrowed }: Split): void {
    member.own.refund(guaranteed);
    member.meter.refund(guaranteed + borrowed);
    this.total.refund(guaranteed + borrowed);
  }

  #leftBy(member: Member): number {
    return this.#reserve + member.mustLeaveUnits;
  }

  #takeGuaranteed(member: Member, n: number, nowMs: number): number {
    const own = member.own.takeUpTo(n, nowMs);
    if (own === 0) return 0;
    const charged = this.total.takeUpToAboveUnits(own, -ROUNDING, nowMs);
    member.own.refund(own - charged);
    // The ceiling refuses only what is borrowed, yet all that is admitted counts.
    member.meter.charge(charged, nowMs);
    return charged;
  }

  #borrow(member: Member, n: number, nowMs: number): { borrowed: number; refusal?: Refusal } {
    if (n <= 0) return { borrowed: 0 };
    const allowed = member.meter.takeUpTo(n, nowMs);
    if (allowed === 0) return { borrowed: 0, refusal: "ceiling" };
    const borrowed = this.total.takeUpToAboveUnits(allowed, this.#leftBy(member), nowMs);
    if (borrowed < allowed) {
      member.meter.refund(allowed - borrowed);
      return { borrowed, refusal: "pool" };
    }
    return allowed < n ? { borrowed, refusal: "ceiling" } : { borrowed };
  }
}

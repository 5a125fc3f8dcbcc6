import { type BucketRates, Ladder, type Lease, type RateTable, TokenBucket } from "@tidegate/core";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { type Counters, decide, windowOf } from "../src/limit.ts";
import { RateCounter } from "./fakes/fastly.ts";
import { clear, location } from "./fakes/location.ts";

const T0 = 1_800_000_000_000;
beforeEach(() => clear(T0));

const counter = new RateCounter();
const counters: Counters = {
  add: (entry) => counter.increment(entry, 1),
  count: (entry, seconds) => counter.lookupCount(entry, seconds),
};

const NONE: BucketRates = { refillPerS: [], capacity: 0, ceilingPerS: 0, safePerS: 0, mustLeave: 0 };

/** A lease whose pool refills at `perS` and lends `lendable`; `a` has rates of its own, all others a ceiling and what they must leave. */
function lease(
  perS: number,
  lendable: number,
  others: { perS: number; burst: number; mustLeave?: number },
  own = NONE,
  mode: RateTable["mode"] = "enforce",
): Lease {
  const table: RateTable = {
    node: "n",
    epoch: 1,
    issuedMs: T0,
    stepS: 1,
    expiresMs: T0 + 1e9,
    mode,
    instances: 1,
    pool: { refillPerS: [perS], capacity: lendable, safePerS: 0 },
    // The ceiling's burst is a step of the ceiling and the capacity.
    fallback: {
      ...NONE,
      ceilingPerS: others.perS,
      capacity: Math.max(0, others.burst - others.perS),
      mustLeave: others.mustLeave ?? 0,
    },
    buckets: new Map(own === NONE ? [] : [["a", own]]),
    shards: [],
  };
  const ladder = new Ladder(table);
  return { table, ladder, stage: ladder.stage(T0) };
}

function admitted(bucket: string, l: Lease, count: number): number {
  return Array.from({ length: count }, () => decide(bucket, l, counters)).filter((d) => d.isAdmitted).length;
}

test("in any time no more is admitted than a bucket of that rate and burst would", () => {
  const arrivals = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 20_000 }), n: fc.integer({ min: 1, max: 40 }) }), { maxLength: 40 });
  const rate = fc.double({ min: 0.1, max: 20, noNaN: true });
  const burst = fc.double({ min: 0, max: 300, noNaN: true });
  const property = fc.property(arrivals, rate, burst, (steps, perS, tokens) => {
    clear(T0);
    const l = lease(1e6, 1e6, { perS, burst: Math.max(perS, tokens) });
    const passed: number[] = [];
    for (const { ms, n } of steps) {
      location.nowMs += ms;
      for (let i = 0; i < n; i += 1) if (decide("b", l, counters).isAdmitted) passed.push(location.nowMs);
    }
    for (const [i, from] of passed.entries()) {
      for (const [j, to] of passed.entries()) {
        if (j < i) continue;
        expect(j - i + 1).toBeLessThanOrEqual(Math.max(perS, tokens) + ((to - from) / 1000) * perS + 1);
      }
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test("a ceiling of a request a minute admits one a minute, and a slower one none", () => {
  for (const [perS, most] of [
    [1 / 60, 60],
    [1 / 61, 0],
  ] as const) {
    clear(T0);
    const l = lease(1e6, 1e6, { perS, burst: 0 });
    let passed = 0;
    for (let ten = 0; ten < 360; ten += 1) {
      passed += admitted("b", l, 1);
      location.nowMs += 10_000;
    }
    expect(passed).toBe(most);
  }
});

test("the window is the longest that the counters have and that is short enough", () => {
  expect(windowOf(2, 45)).toEqual({ seconds: 20, limit: 40 });
  expect(windowOf(2, 1e6)).toEqual({ seconds: 60, limit: 120 });
  expect(windowOf(5, 12)).toEqual({ seconds: 1, limit: 5 });
  expect(windowOf(0, 100)).toEqual({ seconds: 60, limit: 0 });
});

test("a guarantee is there for its owner however much others have borrowed", () => {
  const own = { ...NONE, refillPerS: [2], capacity: 40, ceilingPerS: 2 };
  const l = lease(10, 100, { perS: 100, burst: 1_000 }, own);
  expect(admitted("b", l, 500)).toBe(100);
  expect(decide("b", l, counters)).toMatchObject({ isAdmitted: false, how: "pool" });
  expect(decide("a", l, counters)).toMatchObject({ isAdmitted: true, how: "guaranteed" });
  expect(admitted("a", l, 500)).toBe(39);
  location.nowMs += 10_000;
  expect(admitted("b", l, 500)).toBe(100);
});

test("a bucket stays below its ceiling, and the ceiling follows the lease of each call", () => {
  expect(admitted("b", lease(1e4, 1e5, { perS: 3, burst: 30 }), 100)).toBe(30);
  expect(admitted("b", lease(1e4, 1e5, { perS: 5, burst: 50 }), 100)).toBe(20);
  expect(decide("b", lease(1e4, 1e5, { perS: 1, burst: 10 }), counters)).toMatchObject({ how: "ceiling", standing: { remaining: 0 } });
});

test("shadow mode admits what it says it would refuse", () => {
  const l = lease(1, 10, { perS: 10, burst: 100 }, NONE, "shadow");
  expect(admitted("b", l, 50)).toBe(50);
  expect(decide("b", l, counters).how).toBe("pool");
});

/** Rates that are listed and guarantee nothing. */
const KNOWN: BucketRates = { ...NONE, ceilingPerS: 100, capacity: 1_000 };

test("an unlisted bucket leaves its share of the window to one that is listed", () => {
  const l = lease(10, 100, { perS: 100, burst: 1_000, mustLeave: 60 }, KNOWN);
  expect(admitted("b", l, 100)).toBe(40);
  expect(decide("c", l, counters)).toMatchObject({ isAdmitted: false, how: "pool", standing: { remaining: 0 } });
  expect(admitted("a", l, 100)).toBe(60);
  const never = lease(10, 100, { perS: 100, burst: 1_000, mustLeave: 1e6 }, KNOWN);
  location.nowMs += 60_000;
  expect([admitted("b", never, 1), admitted("a", never, 100)]).toEqual([0, 100]);
});

test("whoever must leave tokens leaves them in a bucket of the window's size", () => {
  const arrival = fc.record({ ms: fc.integer({ min: 0, max: 9_000 }), n: fc.integer({ min: 1, max: 40 }), isKnown: fc.boolean() });
  const property = fc.property(fc.array(arrival, { maxLength: 40 }), fc.integer({ min: 10, max: 60 }), (arrivals, windowS) => {
    clear(T0);
    const l = lease(5, 5 * windowS, { perS: 100, burst: 1_000, mustLeave: 2 * windowS }, KNOWN);
    const { limit } = windowOf(5, 5 * windowS);
    const bucket = new TokenBucket(5, limit, limit, T0);
    for (const { ms, n, isKnown } of arrivals) {
      location.nowMs += ms;
      for (let i = 0; i < n; i += 1) {
        if (!decide(isKnown ? "a" : "b", l, counters).isAdmitted) continue;
        bucket.charge(1, location.nowMs);
        if (!isKnown) expect(bucket.tokens(location.nowMs)).toBeGreaterThanOrEqual(limit * 0.4 - 1e-6);
      }
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test("a load that the refill keeps up with does not shut out who must leave tokens", () => {
  const l = lease(10, 600, { perS: 100, burst: 1_000, mustLeave: 300 }, KNOWN);
  for (let s = 0; s < 120; s += 1) {
    location.nowMs += 1_000;
    expect(admitted("a", l, 8)).toBe(8);
  }
  expect(admitted("b", l, 10)).toBe(10);
});

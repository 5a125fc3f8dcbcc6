import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeNode, OTHER, parseSnapshot, parseTable } from "../src/index.ts";
import { T0, tableText } from "./tables.ts";

const roomy = { pool: { refill_per_s: [10, 20], capacity: 1e6, safe_per_s: 6 } };

function leased(change: Record<string, unknown> = {}, options = {}): EdgeNode {
  const node = new EdgeNode("n", "i1", options);
  node.adopt(parseTable(tableText(1, change)), T0);
  return node;
}

test("without a table everything is refused, and counted", () => {
  const node = new EdgeNode("n");
  expect(node.take("key:a", 3, T0)).toMatchObject({ admitted: 0, throttled: 3 });
  expect(node.report(T0, 30, 1)).toMatchObject({ sequence: 1, buckets: [{ requests: 3, throttled: 3 }] });
});

test("rates walk down the ladder when no table comes", () => {
  const node = leased();
  expect([0, 30, 299].map((s) => node.refillPerS(T0 + s * 1000))).toEqual([10, 20, 20]);
  expect(node.rung(T0 + 299_000)).toBe("step");
  expect(node.refillPerS(T0 + 450_000)).toBe(20 - (14 * 31) / 60);
  expect(node.rung(T0 + 450_000)).toBe("decay");
  expect([node.refillPerS(T0 + 700_000), node.rung(T0 + 700_000)]).toEqual([6, "safe"]);
});

test("a report says how old a table was when it came", () => {
  const node = new EdgeNode("n");
  node.adopt(parseTable(tableText(0)), T0);
  node.adopt(parseTable(tableText(1)), T0 + 30_000);
  const stalenessMs = () => node.report(T0, 30, 1).staleness_ms;
  expect(stalenessMs()).toBeUndefined();
  node.adopt(parseTable(tableText(2)), T0 + 40_000);
  expect(stalenessMs()).toBe(40_000);
  expect([node.rung(T0 + 450_000), stalenessMs()]).toEqual(["decay", 40_000]);
  node.adopt(parseTable(tableText(3)), T0 - 10_000);
  expect(stalenessMs()).toBe(0);
});

test("a bucket whose id cannot be kept shares one, whatever the id", () => {
  const node = leased(roomy);
  const property = fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constant("k".repeat(10_000))), (id) => {
    const { admitted, throttled } = node.take(id, 1, T0);
    expect(admitted + throttled).toBe(1);
  });
  fc.assert(property, { numRuns: 300 });
  const ids = node.report(T0, 30, 1).buckets.map((counts) => counts.bucket);
  expect(ids).toContain(OTHER);
  expect(ids.every((id) => /^[A-Za-z0-9._:-]{1,128}$/.test(id))).toBe(true);
});

test("whatever the clock does, a span admits no more than a burst and what its longest time accrues", () => {
  const step = fc.record({ ms: fc.integer({ min: -120_000, max: 120_000 }), n: fc.integer({ min: 0, max: 60 }) });
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const node = leased({ expires_at: "2026-11-21T23:00:00Z", pool: { refill_per_s: [10], capacity: 20, safe_per_s: 0 } });
    let [now, latest, admitted] = [T0, T0, 0];
    for (const { ms, n } of steps) {
      now = Math.max(0, now + ms);
      latest = Math.max(latest, now);
      admitted += node.take(n % 2 ? "key:a" : "key:b", n, now).admitted;
      expect(admitted).toBeLessThanOrEqual(60 + ((latest - T0) / 1000) * 10 + 1e-6);
    }
  });
  fc.assert(property);
});

test("a ceiling of less than a token per step admits what it brings, at any number of instances", () => {
  const slow = { refill_per_s: [], capacity: 0, ceiling_per_s: 1 / 64, safe_per_s: 0 };
  const pool = { refill_per_s: [1000], capacity: 1e6, safe_per_s: 1000 };
  const inTime = (instances: number, rates: object) => {
    const node = leased({ pool, instances, default: slow, buckets: { "key:a": rates } });
    const passed = Array.from({ length: 4 * 240 }, (_, ask) => node.take("key:a", 1, T0 + ask * 16_000).admitted);
    return [node.ceiling("key:a"), passed.reduce((a, b) => a + b)];
  };
  expect(inTime(1, slow)).toEqual([{ perS: 1 / 64, burst: 1 }, 240]);
  expect(inTime(4, slow)).toEqual([{ perS: 1 / 64, burst: 1 }, 60]);
  expect(inTime(1, { ...slow, ceiling_burst: 5 })).toEqual([{ perS: 1 / 64, burst: 5 }, 244]);
  expect(inTime(1, { ...slow, ceiling_per_s: 0 })).toEqual([{ perS: 0, burst: 0 }, 0]);
});

test("a clock that stands still refills nothing, and one that is no clock breaks nothing", () => {
  const node = leased(roomy);
  expect(node.take("key:b", 200, T0).admitted).toBe(153);
  expect(node.take("key:b", 1, T0).admitted).toBe(0);
  for (const now of [Number.NaN, Number.NEGATIVE_INFINITY, -1]) expect(node.take("key:b", 1, now).admitted).toBe(0);
  expect(node.take("key:b", 10, T0 + 2_000).admitted).toBe(10);
});

test("shadow mode admits what it counts as refused", () => {
  expect(leased({ mode: "shadow" }).take("key:a", 100, T0)).toMatchObject({ admitted: 100, throttled: 80 });
});

test("instances of a node share its rates", () => {
  const node = leased({ instances: 4 });
  expect(node.take("key:a", 100, T0).admitted).toBe(5);
  expect(node.ceiling("key:b")).toEqual({ perS: 5, burst: 153 });
});

const entry = { refill_per_s: [0], capacity: 3, ceiling_per_s: 5, safe_per_s: 0 };
/** Unlisted buckets must leave 12 of the 20 tokens that the node lends, and `key:a` need not. */
const reserved = { default: { ...entry, must_leave: 12 }, buckets: { "key:a": { ...entry, capacity: 40 } } };

test("an unlisted bucket leaves what it must to one that is listed, on all rungs", () => {
  for (const s of [0, 100, 450, 1000]) {
    const node = leased(reserved);
    expect(node.take("key:new", 100, T0 + s * 1000)).toMatchObject({ borrowed: 8, refusal: "pool" });
    expect(node.take("key:newer", 1, T0 + s * 1000)).toMatchObject({ admitted: 0, refusal: "pool" });
    expect(node.takeBelowCeiling("key:newest", 1, T0 + s * 1000)).toMatchObject({ admitted: 0, refusal: "pool" });
    expect(node.take("key:a", 100, T0 + s * 1000).borrowed).toBe(12);
  }
  const one = leased({ ...reserved, instances: 4 });
  expect([one.take("key:new", 100, T0).borrowed, one.take("key:a", 100, T0).borrowed]).toEqual([2, 3]);
});

test("the standing of a bucket counts what it must leave as gone", () => {
  const node = leased(reserved);
  expect(node.standing("key:new", T0)).toMatchObject({ remaining: 8, retryMs: 0 });
  node.take("key:a", 15, T0);
  expect(node.standing("key:new", T0)).toMatchObject({ remaining: 0, retryMs: 800 });
  expect(node.take("key:new", 1, T0 + 799).admitted).toBe(0);
  expect(node.take("key:new", 1, T0 + 800).admitted).toBe(1);
  const never = leased({ default: { ...entry, must_leave: 20 } });
  expect(never.standing("key:new", T0)).toMatchObject({ remaining: 0, retryMs: Number.POSITIVE_INFINITY });
});

test("a table that says otherwise changes what must be left", () => {
  const node = leased(reserved);
  expect(node.take("key:new", 100, T0).borrowed).toBe(8);
  node.adopt(parseTable(tableText(2)), T0);
  expect(node.take("key:new", 5, T0).borrowed).toBe(5);
  node.adopt(parseTable(tableText(3, reserved)), T0);
  expect(node.take("key:new", 1, T0).borrowed).toBe(0);
});

test("what was decided elsewhere is demand all the same", () => {
  const node = leased();
  node.count("key:b", 2, 2, T0);
  node.take("key:b", 1, T0);
  node.record("key:b", 1, 5, 99);
  const [counts] = node.report(T0, 30, 1).buckets;
  expect(counts).toMatchObject({ requests: 3, throttled: 2, retries: 1, errors: 1, bytes: 99 });
});

test("a bucket's standing says what would pass, and when", () => {
  const node = leased();
  expect(node.standing("key:b", T0)).toEqual({ remaining: 20, retryMs: 0, refillMs: 0, quota: 153, windowS: 31 });
  node.take("key:b", 25, T0);
  expect(node.standing("key:b", T0)).toMatchObject({ remaining: 0, retryMs: 100, refillMs: 4_000 });
  expect(node.take("key:b", 1, T0 + 99).admitted).toBe(0);
  expect(node.take("key:b", 1, T0 + 100).admitted).toBe(1);
});

test("a node that starts anew resumes where its snapshot left off", () => {
  const before = leased();
  before.take("key:b", 20, T0);
  before.take("key:a", 8, T0 + 5_000);
  const snapshot = before.snapshot(100, T0 + 10_000);

  const after = leased();
  expect(after.tokens(T0)).toBe(60);
  after.restore(snapshot, T0 + 20_000);
  for (const bucket of ["key:a", "key:b"]) expect(after.bucketTokens(bucket, T0 + 20_000)).toBe(before.bucketTokens(bucket, T0 + 20_000));
  expect(after.tokens(T0 + 20_000)).toBe(before.tokens(T0 + 20_000));
  expect(after.standing("key:b", T0 + 20_000)).toEqual(before.standing("key:b", T0 + 20_000));
});

test("restoring never leaves more than there was, and charges what was admitted meanwhile", () => {
  const snapshot = { at: T0, total: 45, buckets: [["key:b", 0, 10]] as [string, number, number][] };
  const node = leased();
  node.take("key:b", 3, T0);
  node.restore(snapshot, T0);
  expect(node.tokens(T0)).toBe(42);
  expect(node.standing("key:b", T0).remaining).toBe(2);

  const setBack = leased();
  setBack.restore({ ...snapshot, at: T0 + 10_000 }, T0);
  expect(setBack.tokens(T0)).toBe(45);

  const spent = leased();
  spent.take("key:b", 20, T0);
  const tokens = spent.tokens(T0);
  spent.restore({ at: T0 + 1e6, total: 1e9, buckets: [["key:b", 1e9, 1e9]] }, T0);
  expect([spent.tokens(T0), spent.bucketTokens("key:b", T0)]).toEqual([tokens, 0]);
});

test("what is no snapshot is not read as one", () => {
  const good = JSON.stringify({ at: T0, total: -3, buckets: [["key:b", 0, 1]] });
  expect(parseSnapshot(good)).toBeDefined();
  for (const [from, to] of [
    ["-3", '"3"'],
    ["key:b", "key b"],
    [",1]", "]"],
    [`${T0}`, "null"],
    ["}", ""],
  ] as const) {
    expect(parseSnapshot(good.replace(from, to)), to).toBeUndefined();
  }
});

test("a bucket whose ceiling is kept elsewhere is refused by the node's bucket alone", () => {
  const node = leased({ instances: 4, pool: { refill_per_s: [0], capacity: 400, safe_per_s: 0 } });
  expect(node.take("key:b", 90, T0)).toMatchObject({ admitted: 38, refusal: "ceiling" });
  expect(node.takeBelowCeiling("key:c", 90, T0)).toMatchObject({ admitted: 62, refusal: "pool" });
});

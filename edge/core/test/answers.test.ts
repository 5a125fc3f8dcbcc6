import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOfKey, isBucketId, KeyCache, Notices, quotaExceeded, rateLimitFields, retryAfterS, UsageMeter } from "../src/index.ts";
import { T0 } from "./tables.ts";

const sha256 = async (text: string) => new Uint8Array(createHash("sha256").update(text, "utf8").digest());

test("any key has a bucket, of its digest alone", async () => {
  expect(await bucketOfKey("abc", sha256)).toBe("key:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const property = fc.asyncProperty(fc.string({ unit: "binary", maxLength: 10_000, size: "max" }), async (key) => {
    expect(isBucketId(await bucketOfKey(key, sha256))).toBe(true);
  });
  await fc.assert(property, { numRuns: 50 });
});

const SF_INTEGER = "(0|[1-9]\\d{0,14})";

test("the fields are structured fields whatever the bucket's standing", () => {
  const number = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY));
  const standing = fc.record({ remaining: number, retryMs: number, refillMs: number, quota: number, windowS: number });
  const property = fc.property(standing, (s) => {
    const fields = rateLimitFields(s);
    expect(fields["RateLimit-Policy"]).toMatch(new RegExp(`^"bucket";q=${SF_INTEGER}(;w=${SF_INTEGER})?$`));
    expect(fields.RateLimit).toMatch(new RegExp(`^"bucket";r=${SF_INTEGER}(;t=${SF_INTEGER})?$`));
  });
  fc.assert(property);
});

test("the fields say quota, window, what is left, and when there is more", () => {
  const standing = { remaining: 7, retryMs: 0, refillMs: 12_001, quota: 153, windowS: 31 };
  expect(rateLimitFields(standing)).toEqual({ "RateLimit-Policy": '"bucket";q=153;w=31', RateLimit: '"bucket";r=7;t=13' });
  expect(rateLimitFields({ ...standing, remaining: 0, retryMs: 900 }).RateLimit).toBe('"bucket";r=0;t=1');
});

test("a refused client comes back no sooner than a request would pass, and not with all others", () => {
  const property = fc.property(
    fc.double({ min: 0, noNaN: true }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (ms, random) => {
      const s = retryAfterS(ms, () => random);
      expect(Number.isInteger(s) && s >= 1 && s <= 90).toBe(true);
      expect(s).toBeGreaterThanOrEqual(Math.min(60, ms / 1000));
    },
  );
  fc.assert(property);
  expect([0, 0.999].map((random) => retryAfterS(20_000, () => random))).toEqual([20, 30]);
});

test("a refusal is a problem of the registered kind", () => {
  expect(JSON.parse(quotaExceeded("pool", 3))).toMatchObject({ status: 429, "violated-policies": ["bucket"] });
});

test("usage is handed out minute by minute", () => {
  const meter = new UsageMeter(2);
  expect(meter.roll(T0)).toBeUndefined();
  for (const [bucket, admitted] of [
    ["a", true],
    ["a", false],
    ["b", true],
    ["c", true],
  ] as const)
    meter.count(bucket, admitted);
  expect([meter.roll(T0 + 59_999), meter.roll(T0 - 90_000)]).toEqual([undefined, undefined]);
  expect(meter.roll(T0 + 60_000)).toEqual({
    minute: "2026-11-21T20:00:00.000Z",
    usage: [
      { bucket: "a", admitted: 1, throttled: 1 },
      { bucket: "b", admitted: 1, throttled: 0 },
    ],
    others: { admitted: 1, throttled: 0 },
  });
  expect(meter.roll(T0 + 120_000), "a minute without use is none").toBeUndefined();
});

test("what goes wrong again and again is said once, with how often", () => {
  const lines: unknown[] = [];
  const notices = new Notices((line) => lines.push(line), 60_000);
  for (const s of [0, 1, 2, 61, -10]) notices.note("rates_unreadable", T0 + s * 1000, { reason: "away" });
  expect(lines).toEqual([1, 3, 1].map((times) => ({ event: "rates_unreadable", times, reason: "away" })));
  expect(notices.counts()).toEqual({ rates_unreadable: 5 });
});

test("the cache keeps what is used and no more than two generations", () => {
  const cache = new KeyCache<number>(2);
  for (let i = 0; i < 100; i += 1) {
    cache.set(`${i}`, i);
    expect(cache.get("0"), `after ${i}`).toBe(0);
  }
  expect([cache.get("1"), cache.get("99")]).toEqual([undefined, 99]);
});

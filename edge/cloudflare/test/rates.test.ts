import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { ENV, isolate, never, publish, store, T0, tableText } from "./rig.ts";

afterEach(() => reset());

/** A store of rates whose answer the test changes as it goes. */
function changeable() {
  const get = { now: (keys: readonly string[]): unknown => ENV.RATES.get([...keys], "text") };
  return { get, RATES: store(ENV.RATES, { get: (keys: never) => get.now(keys) }) };
}

test("once warm, no request waits for the store, however long it takes", async () => {
  await publish(tableText(1));
  const { get, RATES } = changeable();
  const { ask, statuses, clock, deferred, expire, events } = isolate({ RATES });
  await ask("k1");
  let reads = 0;
  get.now = () => {
    reads += 1;
    return never();
  };
  clock.now = T0 + 40_000;
  expect(await statuses(50)).toEqual({ 200: 50 });
  expect(reads, "one read for all").toBe(1);
  expect(deferred.length).toBeGreaterThan(0);
  await expire();
  expect(events("rates_unreadable")).toMatchObject([{ reason: "DeadlineExceeded: the store of rates did not answer within 10000 ms" }]);
});

test("a newer table is in force for the requests after the one that found it due", async () => {
  await publish(tableText(1));
  const { ask, statuses, clock, settle } = isolate();
  await ask("k1");
  await publish(tableText(2, 0, { default: { refill_per_s: [], capacity: 2, ceiling_per_s: 0, safe_per_s: 0 } }));
  clock.now = T0 + 29_000;
  expect(await statuses(10, "k2")).toEqual({ 200: 10 });
  clock.now = T0 + 36_001;
  await ask("k1");
  await settle();
  expect(await statuses(10, "k3")).toEqual({ 200: 2, 429: 8 });
});

test.each([
  ["throws", () => Promise.reject(new Error("KV is away"))],
  [
    "throws at once",
    () => {
      throw new Error("KV is away");
    },
  ],
  ["holds half a table", () => Promise.resolve(new Map([["tidegate-v1-rates-dev", tableText(9).slice(0, 99)]]))],
  ["holds a table of a later version", () => Promise.resolve(new Map([["tidegate-v1-rates-dev", tableText(9, 0, { version: 2 })]]))],
  ["holds nothing", () => Promise.resolve(new Map([["tidegate-v1-rates-dev", null]]))],
])("an isolate that starts while the store %s serves at the first rates", async (_, get) => {
  const { statuses } = isolate({ RATES: store(ENV.RATES, { get }), FIRST_BURST: "20", FIRST_PER_S: "0" });
  expect(await statuses(25)).toEqual({ 200: 20, 429: 5 });
});

test("an isolate that starts while the store hangs waits for the cold wait, once", async () => {
  const { ask, statuses, alarms, expire } = isolate({ RATES: store(ENV.RATES, { get: never }), COLD_WAIT_MS: "700" });
  const first = ask("k1");
  await expect.poll(() => alarms.filter(({ ms }) => ms === 700).length).toBe(2);
  for (const { ms, ring } of alarms) if (ms === 700) ring();
  expect((await first).status).toBe(200);
  expect(await statuses(10)).toEqual({ 200: 10 });
  await expire();
});

test("a table that comes too late for the first request is in force for the next", async () => {
  let answer = (_: Map<string, string>) => {};
  const late = new Promise<Map<string, string>>((resolve) => {
    answer = resolve;
  });
  const { ask, alarms, deferred, events } = isolate({ RATES: store(ENV.RATES, { get: () => late }), COLD_WAIT_MS: "700", LOG_SAMPLE: "1" });
  const first = ask("k1");
  await expect.poll(() => alarms.filter(({ ms }) => ms === 700).length).toBe(2);
  for (const { ms, ring } of alarms) if (ms === 700) ring();
  await first;
  answer(new Map([["tidegate-v1-rates-dev", tableText(9)]]));
  await deferred[0];
  await ask("k1");
  expect(events("request").map((line) => line.epoch)).toEqual([0, 9]);
});

test("while the store is stale for an hour the rates walk down to the safe ones, and the log says so", async () => {
  await publish(tableText(5, 10, { pool: { refill_per_s: [10], capacity: 100, safe_per_s: 2 } }));
  const { ask, statuses, clock, settle, events } = isolate();
  await statuses(100);
  const admitted: number[] = [];
  for (const s of [299, 450, 3_600]) {
    clock.now = T0 + s * 1000 - 10_000;
    await statuses(500);
    clock.now += 10_000;
    admitted.push((await statuses(500))[200] ?? 0);
    await settle();
  }
  expect(admitted).toEqual([100, 61, 20]);
  expect(events("rates_expired")[0]).toMatchObject({ rung: "decay", epoch: 5 });
  expect((await ask("k1")).status).toBe(429);
});

test("an older epoch is refused, and the log says so", async () => {
  await publish(tableText(5));
  const { ask, clock, settle, events } = isolate();
  await ask("k1");
  await publish(tableText(4));
  clock.now = T0 + 40_000;
  await ask("k1");
  await settle();
  expect(events("rates_unreadable")).toMatchObject([{ reason: expect.stringContaining("has epoch 4, this node has enforced epoch 5") }]);
});

test("a table in shards is put together", async () => {
  const shard = {
    version: 1,
    node: "dev",
    epoch: 3,
    buckets: { "key:a": { refill_per_s: [1], capacity: 7, ceiling_per_s: 1, safe_per_s: 0 } },
  };
  await ENV.RATES.put("s0", JSON.stringify(shard));
  await publish(tableText(3, 0, { shards: ["s0"] }));
  const { ask, events } = isolate({ LOG_SAMPLE: "1" });
  await ask("k1");
  expect(events("request")[0]).toMatchObject({ epoch: 3 });
});

import { reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import type { Env } from "../src/env.ts";
import type { ExactLimit } from "../src/index.ts";
import { isolate, publish, reservedText, tableText } from "./rig.ts";

afterEach(() => reset());

const EXACT = { EXACT: "on" };
/** A ceiling of 100 tokens that never come back, below a pool of many more. */
const hundred = tableText(1, 0, {
  pool: { refill_per_s: [0], capacity: 1e6, safe_per_s: 0 },
  default: { refill_per_s: [], capacity: 100, ceiling_per_s: 0, safe_per_s: 0 },
  instances: 2,
});

test("isolates of one node admit together exactly what the key's ceiling allows", async () => {
  await publish(hundred);
  const [one, two] = [isolate(EXACT), isolate(EXACT)];
  const answers = await Promise.all(Array.from({ length: 105 }, (_, i) => (i % 2 ? one : two).ask("k1")));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(100);
  expect((await one.ask("k1")).headers.get("RateLimit")).toBe('"bucket";r=0');
  expect((await two.ask("k2")).status).toBe(200);
});

test("without the object's memory the count goes on from its disk", async () => {
  const namespace = (env as unknown as Env).EXACT_LIMITS as DurableObjectNamespace<ExactLimit>;
  const id = namespace.idFromName("dev/key:x");
  const first = namespace.get(id);
  for (let i = 0; i < 3; i += 1) expect((await first.take(0, 3, 60)).isAdmitted).toBe(true);
  await runInDurableObject(first, (_, state) => state.abort("evicted")).catch(() => {});
  const limit = namespace.get(id);
  expect(await limit.take(0, 3, 60)).toEqual({
    isAdmitted: false,
    remaining: 0,
    retryMs: Number.POSITIVE_INFINITY,
    refillMs: Number.POSITIVE_INFINITY,
  });
  await runInDurableObject(limit, (_, state) => state.storage.put("idle-until", 0));
  expect(await runDurableObjectAlarm(limit)).toBe(true);
  expect((await limit.take(0, 3, 60)).remaining).toBe(2);
});

test("what the node has no tokens for is given back to the key", async () => {
  await publish(
    tableText(1, 0, {
      pool: { refill_per_s: [0], capacity: 5, safe_per_s: 0 },
      default: { refill_per_s: [], capacity: 100, ceiling_per_s: 0, safe_per_s: 0 },
    }),
  );
  const { statuses, deferred } = isolate(EXACT);
  expect(await statuses(50)).toEqual({ 200: 5, 429: 45 });
  expect(deferred.length).toBeGreaterThanOrEqual(45);
  await publish(hundred.replace('"epoch":1', '"epoch":2'));
  expect((await isolate(EXACT).ask("k1")).headers.get("RateLimit")).toMatch(/r=94/);
});

test("unlisted keys leave what they must to one that is listed, whatever their objects allow", async () => {
  await publish(await reservedText(1));
  const { statuses } = isolate(EXACT);
  expect(await statuses(50, "new")).toEqual({ 200: 40, 429: 10 });
  expect(await statuses(5, "newer")).toEqual({ 429: 5 });
  expect(await statuses(65, "known")).toEqual({ 200: 60, 429: 5 });
});

test("when the object cannot be had the isolate decides by itself, and says so", async () => {
  await publish(tableText(1));
  const away = { idFromName: () => "", get: () => ({ take: () => Promise.reject(new Error("overloaded")) }) };
  const { statuses, events } = isolate({ ...EXACT, EXACT_LIMITS: away });
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
  expect(events("exact_unavailable")[0]).toMatchObject({ reason: "Error: overloaded" });
});

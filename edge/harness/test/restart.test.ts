import { expect, test, vi } from "vitest";
import { folder, publish, running, statuses } from "./rig.ts";

const vars = { STATE_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}` };

test("105 requests against 100 tokens over HTTP, and after a cold restart on the same disk the bucket is not full", async () => {
  const persist = folder();
  const before = await running({ persist, vars });
  await publish(before, 1, 100);
  expect((await fetch(before.edge)).status).toBe(401);
  expect(await statuses(before, 60)).toEqual({ 200: 60 });
  const state = await before.miniflare.getKVNamespace("STATE", "edge");
  await vi.waitUntil(async () => (await state.list()).keys.length === 1, { timeout: 20_000, interval: 50 });
  await before.stop();

  const after = await running({ persist, vars });
  expect(await statuses(after, 45)).toEqual({ 200: 40, 429: 5 });
}, 60_000);

test("without state kept, a restart begins with full buckets", async () => {
  const persist = folder();
  const before = await running({ persist });
  await publish(before, 1, 10);
  expect(await statuses(before, 12)).toEqual({ 200: 10, 429: 2 });
  await before.stop();
  expect(await statuses(await running({ persist }), 12)).toEqual({ 200: 10, 429: 2 });
}, 60_000);

test("exact limits outlive a restart, too", async () => {
  const persist = folder();
  const before = await running({ persist, vars: { EXACT: "on" } });
  await publish(before, 1, 1e6, { capacity: 5, ceiling_per_s: 0 });
  expect(await statuses(before, 3)).toEqual({ 200: 3 });
  await before.stop();
  expect(await statuses(await running({ persist, vars: { EXACT: "on" } }), 4)).toEqual({ 200: 2, 429: 2 });
}, 60_000);

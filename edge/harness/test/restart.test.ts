import { expect, test, vi } from "vitest";
import type { Runtime } from "../src/runtime.ts";
import { folder, publish, running, statuses } from "./rig.ts";

const vars = { STATE_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`, STATE_WRITE_S: "1" };

/** Whether the state is written anew after `sinceMs`, before long. */
async function isWritten(runtime: Runtime, sinceMs: number): Promise<boolean> {
  const state = await runtime.miniflare.getKVNamespace("STATE", "edge");
  const at = async () => ((await state.list()).keys[0]?.metadata as { at: number } | undefined)?.at ?? 0;
  return vi.waitUntil(async () => (await at()) >= sinceMs, { timeout: 5_000, interval: 50 }).catch(() => false);
}

/** Sends requests until all that were sent are in the state, and returns how many. */
async function sendUntilKept(runtime: Runtime, atLeast: number): Promise<number> {
  for (let sent = atLeast; ; sent += 1) {
    expect(await statuses(runtime, sent === atLeast ? atLeast : 1)).toEqual({ 200: sent === atLeast ? atLeast : 1 });
    if (await isWritten(runtime, Date.now())) return sent;
  }
}

test("105 requests against 100 tokens over HTTP, and after a cold restart on the same disk the bucket is not full", async () => {
  const persist = folder();
  const before = await running({ persist, vars });
  await publish(before, 1, 100);
  expect((await fetch(before.edge)).status).toBe(401);
  const taken = await sendUntilKept(before, 60);
  await before.stop();

  const after = await running({ persist, vars });
  expect(await statuses(after, 105 - taken)).toEqual({ 200: 100 - taken, 429: 5 });
});

test("without state kept, a restart begins with full buckets", async () => {
  const persist = folder();
  const before = await running({ persist });
  await publish(before, 1, 10);
  expect(await statuses(before, 12)).toEqual({ 200: 10, 429: 2 });
  await before.stop();
  expect(await statuses(await running({ persist }), 12)).toEqual({ 200: 10, 429: 2 });
});

test("exact limits outlive a restart, too", async () => {
  const persist = folder();
  const before = await running({ persist, vars: { EXACT: "on" } });
  await publish(before, 1, 1e6, { capacity: 5, ceiling_per_s: 0 });
  expect(await statuses(before, 3)).toEqual({ 200: 3 });
  await before.stop();
  expect(await statuses(await running({ persist, vars: { EXACT: "on" } }), 4)).toEqual({ 200: 2, 429: 2 });
});

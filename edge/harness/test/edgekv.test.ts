import { expect, onTestFinished, test, vi } from "vitest";
import { ACCESS_TOKEN, startEdgeKv } from "../src/akamai/edgekv.ts";

const SIGNED =
  "EG1-HMAC-SHA256 client_token=c;access_token=a;timestamp=20261121T20:00:00+0000;nonce=0f8fad5b-d9cb-469f-a165-70867728950e;signature=c2lnbmVk";

async function store(shownAfterMs = 0) {
  const clock = { ms: 0 };
  const kv = await startEdgeKv({ now: () => clock.ms, shownAfterMs });
  onTestFinished(kv.stop);
  const admin = (method: string, path: string, body?: string, authorization = SIGNED) =>
    fetch(`${kv.url}/edgekv/v1/networks/production/namespaces/tidegate${path}`, {
      method,
      headers: { authorization },
      ...(body === undefined ? {} : { body }),
    });
  const read = (item: string, token = ACCESS_TOKEN) =>
    fetch(`${kv.url}/api/v1/namespaces/tidegate/groups/rates/items/${item}`, { headers: { "X-Akamai-EdgeDB-Auth": token } });
  return { kv, clock, admin, read };
}

test("what the admin API writes is what workers read", async () => {
  const { admin, read } = await store();
  expect((await admin("PUT", "/groups/rates/items/a", '{"v":1}')).status).toBe(200);
  expect(await (await read("a")).text()).toBe('{"v":1}');
  expect(await (await admin("GET", "/groups/rates")).json()).toEqual(["a"]);
  expect((await admin("DELETE", "/groups/rates/items/a")).status).toBe(200);
  expect([(await read("a")).status, (await admin("GET", "/groups/rates/items/a")).status]).toEqual([404, 404]);
});

test("a write is shown when it is told to be", async () => {
  const { admin, read } = await store(1_000);
  expect((await admin("PUT", "/groups/rates/items/a", "1")).status).toBe(200);
  expect((await read("a")).status).toBe(404);
  await vi.waitUntil(async () => (await read("a")).status === 200, { timeout: 60_000 });
});

test("who may not is refused", async () => {
  const { admin, read, kv } = await store();
  expect((await admin("PUT", "/groups/rates/items/a", "1", "Bearer token")).status).toBe(401);
  expect((await read("a", "wrong")).status).toBe(401);
  expect(kv.items.size).toBe(0);
});

test("what EdgeKV would not take is refused", async () => {
  const { admin, kv } = await store();
  expect((await admin("PUT", "/groups/rates/items/a", "x".repeat(1_000_001))).status).toBe(413);
  expect((await admin("PUT", "/groups/rates/items/key:a", "1")).status).toBe(404);
  expect((await admin("PUT", `/groups/${"g".repeat(129)}/items/a`, "1")).status).toBe(404);
  expect(kv.items.size).toBe(0);
});

test("the admin API takes 120 calls in 5 s, and 18 a second over two minutes", async () => {
  const { admin, clock } = await store();
  const burst = async () => {
    const statuses = await Promise.all(Array.from({ length: 121 }, async () => (await admin("GET", "")).status));
    return statuses.filter((status) => status === 200).length;
  };
  expect(await burst()).toBe(120);
  let taken = 120;
  for (clock.ms = 5_001; clock.ms < 119_000; clock.ms += 5_001) taken += await burst();
  expect(taken).toBe(18 * 120);
});

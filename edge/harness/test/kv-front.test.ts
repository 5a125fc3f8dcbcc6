import { expect, test, vi } from "vitest";
import { call, folder, running } from "./rig.ts";

test("the front writes, reads, lists and deletes, for those who have the token", async () => {
  const runtime = await running({ persist: folder() });
  const pairs = [
    { key: "a", value: "1" },
    { key: "b", value: btoa("2"), base64: true, expiration_ttl: 60, metadata: { epoch: 2 } },
  ];
  const written = await call(runtime, "PUT", "bulk", pairs);
  expect(JSON.parse(written.text)).toEqual({
    success: true,
    errors: [],
    messages: [],
    result: { successful_key_count: 2, unsuccessful_keys: [] },
  });
  expect((await call(runtime, "GET", "values/b")).text).toBe("2");
  expect(JSON.parse((await call(runtime, "GET", "keys?prefix=b")).text).result).toMatchObject([{ name: "b", metadata: { epoch: 2 } }]);
  await call(runtime, "POST", "bulk/delete", ["a"]);
  expect((await call(runtime, "GET", "values/a")).status).toBe(404);
  const refused = await call(runtime, "PUT", "bulk", pairs, "wrong");
  expect([refused.status, JSON.parse(refused.text).errors[0].code]).toEqual([401, 10_000]);
});

test("a key takes one write a second; the others of the same call are written", async () => {
  const runtime = await running({ persist: folder() });
  const twice = await call(runtime, "PUT", "bulk", [
    { key: "a", value: "1" },
    { key: "a", value: "2" },
    { key: "b", value: "2" },
  ]);
  expect(JSON.parse(twice.text).result).toEqual({ successful_key_count: 2, unsuccessful_keys: ["a"] });
  expect((await call(runtime, "GET", "values/a")).text).toBe("1");
  const atOnce = await Promise.all(["1", "2", "3"].map((value) => call(runtime, "PUT", "values/c", value)));
  expect(atOnce.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
  const retry = async () =>
    JSON.parse((await call(runtime, "PUT", "bulk", [{ key: "a", value: "2" }])).text).result.successful_key_count === 1;
  await vi.waitUntil(retry, { timeout: 60_000, interval: 100 });
});

test("what Cloudflare would not take is refused whole", async () => {
  const runtime = await running({ persist: folder() });
  const many = Array.from({ length: 10_001 }, (_, i) => ({ key: `k${i}`, value: "" }));
  expect((await call(runtime, "PUT", "bulk", many)).status).toBe(400);
  for (const pair of [
    { key: "a", value: "", expiration_ttl: 59 },
    { key: "a" },
    { key: "k".repeat(513), value: "" },
    { key: ".", value: "" },
  ]) {
    const { status, text } = await call(runtime, "PUT", "bulk", [{ key: "fine", value: "" }, pair]);
    expect([status >= 400, JSON.parse(text).success], JSON.stringify(pair)).toEqual([true, false]);
  }
  expect(JSON.parse((await call(runtime, "GET", "keys")).text).result).toEqual([]);
});

test("too many calls block all calls", async () => {
  const runtime = await running({ persist: folder(), callsPer5Minutes: 3 });
  for (let i = 0; i < 3; i += 1) expect((await call(runtime, "GET", "keys")).status).toBe(200);
  const blocked = await call(runtime, "GET", "keys");
  expect([blocked.status, Number(blocked.retryAfter) > 290]).toEqual([429, true]);
});

test("a write is shown a while after it was acknowledged", async () => {
  const runtime = await running({ persist: folder(), shownAfterMs: 3_000 });
  const written = await call(runtime, "PUT", "bulk", [{ key: "a", value: "1" }]);
  expect(JSON.parse(written.text).result).toEqual({ successful_key_count: 1, unsuccessful_keys: [] });
  expect((await call(runtime, "GET", "values/a")).status).toBe(404);
  await vi.waitUntil(async () => (await call(runtime, "GET", "values/a")).text === "1", { timeout: 60_000, interval: 100 });
});

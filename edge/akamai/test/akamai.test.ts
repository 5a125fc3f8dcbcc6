import { bucketOfKey } from "@tidegate/core";
import { ACCESS_TOKEN, EDGEKV_HOST } from "@tidegate/harness/akamai/edgekv";
import { type Answer, type Headers, isolate, type Property } from "@tidegate/harness/akamai/isolate";
import { bundle, WORKERS } from "@tidegate/harness/bundle";
import { beforeAll, expect, test } from "vitest";
import { edgeKv, engine } from "./servers.ts";

const KEY = { "x-api-key": ["k1"] };

let code: string;
beforeAll(async () => {
  code = (await bundle(WORKERS.akamai)).script;
});

function table(epoch: number, tokens: number, leaseMs = 600_000, change: Record<string, unknown> = {}): string {
  const now = Date.now();
  return JSON.stringify({
    version: 1,
    node: "ak",
    epoch,
    issued_at: new Date(now).toISOString(),
    step_s: 30,
    expires_at: new Date(now + leaseMs).toISOString(),
    mode: "enforce",
    instances: 1,
    pool: { refill_per_s: [0], capacity: tokens, safe_per_s: 0 },
    default: { refill_per_s: [], capacity: 1_000, ceiling_per_s: 10, safe_per_s: 0 },
    buckets: {},
    ...change,
  });
}

/** An isolate in front of an origin that answers at once, and what it logged and called. */
async function worker(source: string, property: Property) {
  const lines: Record<string, unknown>[] = [];
  const calls: string[] = [];
  const onLog = (line: string) => void lines.push(JSON.parse(line));
  const { send, ...rest } = await isolate(source, { ...property, onLog, onSubRequest: (url) => void calls.push(url) });
  const origin = async (): Promise<Answer> => ({ status: 200, headers: { "content-length": ["2"] }, body: "ok" });
  return { ...rest, lines, calls, send: (headers: Headers = {}) => send(headers, origin) };
}

async function rig(items: [string, string][], variables: Record<string, string> = {}) {
  const kv = await edgeKv(items);
  const telemetry = await engine();
  const hosts = { [EDGEKV_HOST]: kv.url, "engine.example.com": telemetry.url };
  const all = { PMUSER_TIDEGATE_NODE: "ak", PMUSER_TIDEGATE_EDGEKV_TOKEN: ACCESS_TOKEN, PMUSER_TIDEGATE_LOG_SAMPLE: "0", ...variables };
  const edge = await worker(code, { variables: all, hosts });
  const statuses = async (count: number, headers: Headers = KEY) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i += 1) {
      const { status } = await edge.send(headers);
      counts[`${status}`] = (counts[`${status}`] ?? 0) + 1;
    }
    return counts;
  };
  return { ...edge, kv, telemetry, statuses };
}

const ITEM = "tidegate-v1-rates-ak";

test("the bundle runs with the platform's modules alone", async () => {
  const { globals } = await rig([]);
  for (const name of ["process", "fetch", "setTimeout", "URL", "require", "TextEncoder", "crypto"]) expect(globals()).not.toContain(name);
  await expect(worker(`import "node:fs"; ${code}`, { hosts: {} })).rejects.toThrow("the platform has no module node:fs");
  expect(Buffer.byteLength(code)).toBeLessThan(512 * 1024);
});

test("a request without an API key is answered 401", async () => {
  const { send } = await rig([[ITEM, table(1, 100)]]);
  expect(await send()).toMatchObject({ status: 401, headers: { "content-type": ["application/problem+json"] } });
});

test("105 requests against 100 tokens: 100 pass, 5 get 429, and EdgeKV is asked once", async () => {
  const { statuses, calls } = await rig([[ITEM, table(1, 100)]]);
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
  expect(calls).toEqual([`https://${EDGEKV_HOST}/api/v1/namespaces/tidegate/groups/rates/items/${ITEM}`]);
});

test("unlisted keys leave what they must to one that is listed", async () => {
  const entry = { refill_per_s: [], capacity: 0, ceiling_per_s: 100, safe_per_s: 0 };
  const known = await bucketOfKey("known", (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const change = { default: { ...entry, must_leave: 60 }, buckets: { [known]: entry } };
  const { statuses } = await rig([[ITEM, table(1, 100, 600_000, change)]]);
  expect(await statuses(50, { "x-api-key": ["new"] })).toEqual({ 200: 40, 429: 10 });
  expect(await statuses(5, { "x-api-key": ["newer"] })).toEqual({ 429: 5 });
  expect(await statuses(65, { "x-api-key": ["known"] })).toEqual({ 200: 60, 429: 5 });
});

test("an answer says what is left, a refusal when to come back", async () => {
  const { send } = await rig([[ITEM, table(1, 2)]]);
  const { headers } = await send(KEY);
  expect(headers).toMatchObject({ "ratelimit-policy": ['"bucket";q=1300;w=130'], ratelimit: [expect.stringMatching(/^"bucket";r=1/)] });
  await send(KEY);
  const refused = await send(KEY);
  expect(refused.headers["retry-after"]?.[0]).toMatch(/^\d+$/);
  expect(JSON.parse(refused.body ?? "")).toMatchObject({ status: 429, "violated-policies": ["bucket"] });
});

test("a newer table is read behind an answer, and holds for the next request", async () => {
  const { send, clock, calls, kv } = await rig([[ITEM, table(1, 1_000)]]);
  await send(KEY);
  kv.items.set(`rates/${ITEM}`, table(2, 0));
  clock.offsetMs = 40_000;
  expect((await send(KEY)).status).toBe(200);
  expect(calls).toHaveLength(2);
  expect((await send(KEY)).status).toBe(429);
});

test.each([
  ["hang", "timed out"],
  [500, "EdgeKV answered 500"],
  [401, "EdgeKV answered 401"],
] as const)("EdgeKV that answers %s leaves the node on its first rates, and the log says so", async (mode, why) => {
  const { statuses, kv, lines } = await rig([[ITEM, table(1, 100)]], {
    PMUSER_TIDEGATE_FIRST_BURST: "3",
    PMUSER_TIDEGATE_FIRST_PER_S: "0",
  });
  kv.mode.now = mode;
  expect(await statuses(5)).toEqual({ 200: 3, 429: 2 });
  expect(lines).toContainEqual(expect.objectContaining({ event: "rates_unreadable", node: "ak", reason: expect.stringContaining(why) }));
});

test.each(["", "{", '{"version":2}', table(0, 5).replace('"ak"', '"other"'), "x".repeat(5_000_000)])(
  "a value that is no table leaves the node on its first rates",
  async (value) => {
    const { statuses } = await rig([[ITEM, value]], { PMUSER_TIDEGATE_FIRST_BURST: "3", PMUSER_TIDEGATE_FIRST_PER_S: "0" });
    expect(await statuses(5)).toEqual({ 200: 3, 429: 2 });
  },
);

test("counts of a window reach the engine, and no API key does", async () => {
  const url = { PMUSER_TIDEGATE_TELEMETRY_URL: "https://engine.example.com" };
  const { statuses, send, clock, telemetry, calls } = await rig([[ITEM, table(1, 2)]], url);
  clock.offsetMs = -(Date.now() % 30_000);
  await statuses(3);
  clock.offsetMs += 30_000;
  for (let i = 0; i < 3 && telemetry.bodies.length === 0; i += 1) await send(KEY);
  const buckets = telemetry.bodies[0]?.reports[0]?.buckets;
  expect(buckets).toMatchObject([{ bucket: expect.stringMatching(/^key:[0-9a-f]{64}$/), requests: 3, throttled: 1 }]);
  expect(calls.join()).not.toContain("k1");
  expect(JSON.stringify(telemetry.bodies)).not.toContain('"k1"');
});

test("an engine that is away costs no request", async () => {
  const url = { PMUSER_TIDEGATE_TELEMETRY_URL: "https://engine.example.com" };
  const { statuses, clock, telemetry, lines } = await rig([[ITEM, table(1, 100)]], url);
  telemetry.status.now = 503;
  for (let s = 0; s < 300; s += 30) {
    clock.offsetMs = s * 1000;
    expect(await statuses(2)).toEqual({ 200: 2 });
  }
  expect(lines).toContainEqual(expect.objectContaining({ event: "telemetry_refused", status: 503 }));
});

test("what waited for an engine that was away goes in one sub-request, as a handler has few", async () => {
  const url = { PMUSER_TIDEGATE_TELEMETRY_URL: "https://engine.example.com" };
  const { statuses, clock, telemetry } = await rig([[ITEM, table(1, 100)]], url);
  clock.offsetMs = -(Date.now() % 30_000);
  telemetry.status.now = 503;
  for (let window = 0; window < 6; window += 1) {
    await statuses(1);
    clock.offsetMs += 30_000;
  }
  telemetry.status.now = 202;
  telemetry.bodies.length = 0;
  clock.offsetMs += 60_000;
  for (let i = 0; i < 3 && telemetry.bodies.length === 0; i += 1) await statuses(1);
  expect(telemetry.bodies.map(({ reports }) => reports.length >= 6)).toEqual([true]);
});

test("a variable that cannot be used is named", async () => {
  const { send } = await rig([], { PMUSER_TIDEGATE_NODE: "a/b" });
  await expect(send(KEY)).rejects.toThrow("PMUSER_TIDEGATE_NODE");
});

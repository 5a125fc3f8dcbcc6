import { bucketOfKey } from "@tidegate/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseOutcome } from "../src/outcome.ts";
import { Sandbox } from "../src/worker.ts";
import { clear, location } from "./fakes/location.ts";

const T0 = Date.parse("2026-11-21T20:00:00Z");
const posts: { reports: { node: string; sequence: number; buckets: unknown[] }[] }[] = [];
let origin: (request: Request) => Response;

beforeEach(() => {
  clear(T0);
  posts.length = 0;
  origin = () => new Response("from the origin");
  vi.spyOn(Date, "now").mockImplementation(() => location.nowMs);
  vi.stubGlobal("fetch", async (input: Request | string, init: { backend: string; body?: string }) => {
    if (init.backend === "origin") return origin(input as Request);
    posts.push(JSON.parse(init.body ?? ""));
    return new Response("{}", { status: 202 });
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function tableText(epoch: number, perS: number, node = "fastly-fra"): string {
  return JSON.stringify({
    version: 1,
    node,
    epoch,
    issued_at: "2026-11-21T20:00:00Z",
    step_s: 30,
    expires_at: "2026-11-21T20:05:00Z",
    mode: "enforce",
    instances: 3,
    pool: { refill_per_s: [perS], capacity: perS * 10, safe_per_s: perS / 2 },
    default: { refill_per_s: [], capacity: 1_000, ceiling_per_s: 100, safe_per_s: 0 },
    buckets: {},
  });
}

const stored = (text: string) => (key: string) => Promise.resolve(key === "tidegate-v1-rates-fastly-fra" ? text : null);

/** A fresh sandbox for every request, as the platform has it, unless `reused`. */
function service() {
  const lines: Record<string, unknown>[] = [];
  const deferred: Promise<unknown>[] = [];
  const fresh = () => new Sandbox((line) => void lines.push(line));
  const ask = async (key: string | undefined, sandbox = fresh()) => {
    const headers: Record<string, string> = key === undefined ? {} : { "x-api-key": key };
    const request = new Request("https://api.example.com/items", { headers });
    return sandbox.handle({ request, waitUntil: (work) => void deferred.push(work) });
  };
  const statuses = async (count: number, sandbox?: Sandbox) => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < count; i += 1) {
      const { status } = await ask("k1", sandbox);
      counts[`${status}`] = (counts[`${status}`] ?? 0) + 1;
    }
    return counts;
  };
  const settle = () => Promise.all(deferred.splice(0));
  return { lines, deferred, fresh, ask, statuses, settle };
}

test("a request without an API key gets 401", async () => {
  const { ask } = service();
  expect((await ask(undefined)).status).toBe(401);
});

test("sandboxes that live for one request keep a limit together: 105 requests, 100 pass", async () => {
  location.kv = stored(tableText(1, 10));
  const { statuses } = service();
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
  location.nowMs += 10_000;
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
});

test("answers say what is left, refusals when to come back", async () => {
  location.kv = stored(tableText(1, 10));
  const { ask, statuses } = service();
  const first = await ask("k1");
  expect([first.headers.get("RateLimit-Policy"), first.headers.get("RateLimit")]).toEqual(['"bucket";q=4000;w=40', '"bucket";r=99;t=40']);
  await statuses(99);
  const refused = await ask("k1");
  expect([refused.status, Number(refused.headers.get("Retry-After")) >= 5]).toEqual([429, true]);
  expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["bucket"] });
});

test("what must be left outlives the sandbox that read it", async () => {
  const entry = { refill_per_s: [], capacity: 1_000, ceiling_per_s: 100, safe_per_s: 0 };
  const known = await bucketOfKey("known", (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const change = { default: { ...entry, must_leave: 60 }, buckets: { [known]: entry } };
  location.kv = stored(JSON.stringify({ ...JSON.parse(tableText(1, 10)), ...change }));
  const { ask, statuses } = service();
  expect(await statuses(50)).toEqual({ 200: 40, 429: 10 });
  expect((await ask("new")).status).toBe(429);
  expect((await ask("known")).status).toBe(200);
});

test("no request waits for the store once the location has a table", async () => {
  location.kv = stored(tableText(1, 10));
  const { statuses, deferred } = service();
  await statuses(1);
  location.nowMs += 31_000;
  let reads = 0;
  location.kv = () => {
    reads += 1;
    return new Promise(() => {});
  };
  expect(await statuses(20)).toEqual({ 200: 20 });
  expect([reads, deferred.length]).toEqual([1, 1]);
});

test("a newer table is in force after the answer that found it due, an older one never", async () => {
  location.kv = stored(tableText(5, 10));
  const { statuses, settle, lines } = service();
  await statuses(1);
  location.kv = stored(tableText(6, 0));
  location.nowMs += 31_000;
  expect(await statuses(1)).toEqual({ 200: 1 });
  await settle();
  expect(await statuses(1)).toEqual({ 429: 1 });
  location.kv = stored(tableText(4, 10));
  location.nowMs += 31_000;
  await statuses(1);
  await settle();
  expect(lines.at(-1)).toMatchObject({ event: "rates_unreadable", reason: expect.stringContaining("has epoch 4") });
  expect(await statuses(1)).toEqual({ 429: 1 });
});

test.each([
  ["throws", () => Promise.reject(new Error("away"))],
  ["hangs", () => new Promise<never>(() => {})],
  ["holds half a table", stored(tableText(1, 10).slice(0, 99))],
  ["holds another node's table", stored(tableText(1, 10, "fastly-ams"))],
])("a location whose store %s serves at the first rates, and says so", async (_, kv) => {
  location.kv = kv;
  for (const [key, value] of [
    ["first_per_s", "2"],
    ["first_burst", "20"],
    ["cold_wait_ms", "1"],
  ] as const)
    location.config.set(key, value);
  const { statuses, lines } = service();
  expect(await statuses(25)).toEqual({ 200: 20, 429: 5 });
  expect(lines).toContainEqual(expect.objectContaining({ event: "rates_unreadable", node: "fastly-fra" }));
});

test("what an older version left in the cache is read anew", async () => {
  location.cache.set("tidegate/table/fastly-fra", { text: '{"epoch":9}', untilMs: T0 + 1e9 });
  location.kv = stored(tableText(1, 10));
  const { statuses } = service();
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
});

test("a table outlives an hour without the store, down to its safe rates", async () => {
  location.kv = stored(tableText(1, 10));
  const { statuses } = service();
  await statuses(1);
  location.kv = () => Promise.reject(new Error("away"));
  location.nowMs += 3_600_000;
  expect(await statuses(200)).toEqual({ 200: 100, 429: 100 });
  location.nowMs += 10_000;
  expect((await statuses(200))[200], "twenty seconds of 5/s are one window").toBeUndefined();
});

test("a sandbox that lives on reports what it was asked for, under a name of its own", async () => {
  location.kv = stored(tableText(3, 1));
  location.config.set("report", "windows");
  location.secrets.set("telemetry_token", "hunter2");
  const { statuses, fresh, settle } = service();
  const sandbox = fresh();
  await statuses(12, sandbox);
  location.nowMs += 30_000;
  await statuses(1, sandbox);
  await settle();
  const [report] = posts.flatMap((post) => post.reports);
  expect(report).toMatchObject({ node: "fastly-fra", sequence: 1, epoch: 3, buckets: [{ requests: 12, throttled: 2 }] });
});

test("where sandboxes live short, each request is a line of its own", async () => {
  location.kv = stored(tableText(3, 1));
  location.config.set("report", "lines");
  origin = () => new Response("sorry", { status: 503, headers: { "content-length": "5" } });
  const { statuses } = service();
  expect(await statuses(11)).toEqual({ 429: 1, 503: 10 });
  expect(location.logged.map(({ endpoint }) => endpoint)).toEqual(Array.from({ length: 11 }, () => "tidegate-outcomes"));
  const lines = location.logged.map(({ line }) => parseOutcome(line));
  const of = { node: "fastly-fra", epoch: 3, rung: "step", bucket: expect.stringMatching(/^key:[0-9a-f]{64}$/) };
  expect(lines[0]).toEqual({ ...of, atMs: T0, throttled: 0, errors: 1, bytes: 5 });
  expect(lines[10]).toEqual({ ...of, atMs: T0, throttled: 1, errors: 0, bytes: 0 });
});

test("an origin that cannot be reached is a 502", async () => {
  location.kv = stored(tableText(1, 10));
  origin = () => {
    throw new Error("refused");
  };
  const { ask, lines } = service();
  expect((await ask("k1")).status).toBe(502);
  expect(lines).toContainEqual(expect.objectContaining({ event: "origin_unreachable" }));
});

test("a line of the log has the key's hash, not the key", async () => {
  location.kv = stored(tableText(1, 10));
  location.config.set("log_sample", "1");
  const { ask, lines } = service();
  await ask("a secret");
  expect(lines[0]).toMatchObject({ event: "request", epoch: 1, decision: "borrowed", tokens_left: 99 });
  expect(JSON.stringify(lines)).not.toContain("a secret");
});

test("a key of the Config Store that cannot be used is named", () => {
  location.config.set("rates_poll_s", "never");
  expect(() => service().fresh()).toThrow("rates_poll_s");
});

/** The worker for Fastly on Fastly's local runtime: what is deployed, and the same with counters that count. */

import { tableKey } from "@tidegate/core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startCounters } from "../src/fastly/counters.ts";
import { API_TOKEN, STORE, startKvFront } from "../src/fastly/kv-front.ts";
import { build } from "../src/fastly/program.ts";
import { startViceroy, viceroy } from "../src/fastly/viceroy.ts";
import { type Listening, listen } from "../src/loopback.ts";
import { heldTable, statusesOf, temporary } from "./rig.ts";

const isHere = viceroy() !== undefined;
const PATIENCE = { timeout: 60_000, interval: 50 };

const { path: folder, remove } = temporary();
const stops: (() => unknown)[] = [remove];
const keep = <T extends Listening>(started: T): T => {
  stops.unshift(started.stop);
  return started;
};
afterAll(async () => {
  for (const stop of stops) await stop();
});

const asked: string[] = [];
let backends: Record<string, string>;

beforeAll(async () => {
  const origin = await listen((request, response) => {
    // The local runtime itself looks whether backends answer, without a key.
    if (request.headers["x-api-key"]) asked.push(`${request.method} ${request.url} ${request.headers["x-api-key"]}`);
    response.writeHead(request.url === "/bad" ? 503 : 200, { "content-length": "5" }).end("hello");
  });
  backends = { origin: keep(origin).url, counters: keep(await startCounters()).url };
});

/** Lines of JSON that a service logs. */
function log() {
  const lines: Record<string, unknown>[] = [];
  const onLog = (line: string) => {
    if (line.includes("{")) lines.push(JSON.parse(line.slice(line.indexOf("{"))));
  };
  return { lines, onLog };
}

const asking = (url: URL | string, key: string) => fetch(url, { headers: { "x-api-key": key } });

describe.skipIf(!isHere)("the program as it is deployed, without its KV Store", () => {
  const { lines, onLog } = log();
  let url: URL;
  beforeAll(async () => {
    const program = await build("shipped", folder);
    url = new URL(keep(await startViceroy({ program, folder, backends, config: { node: "shipped" }, onLog })).url);
  });

  test("a request without an API key gets 401, one with goes to the origin as it came", async () => {
    expect((await fetch(url)).status).toBe(401);
    const answer = await asking(new URL("/items?x=1", url), "k1");
    expect([answer.status, await answer.text()]).toEqual([200, "hello"]);
    expect(answer.headers.get("RateLimit-Policy")).toMatch(/^"bucket";q=\d+;w=\d+$/);
    expect(asked).toEqual(["GET /items?x=1 k1"]);
    expect((await asking(new URL("/bad", url), "k1")).status).toBe(503);
  });

  test("a store that is missing is logged, and first rates are served", async () => {
    expect((await asking(url, "k1")).status).toBe(200);
    await vi.waitUntil(() => lines.some(({ event }) => event === "rates_unreadable"), PATIENCE);
  });

  test("what the harness steers by is not in it", async () => {
    const answer = await fetch(new URL("/.harness/kv/a", url), { method: "PUT", headers: { "x-api-key": "k1" }, body: "[]" });
    expect([answer.status, asked.at(-1)]).toEqual([200, "PUT /.harness/kv/a k1"]);
  });

  test("the local runtime's own counters count nothing: far more than the limit passes", async () => {
    expect(await statusesOf(url, 105, "k2")).toEqual({ 200: 105 });
  });
});

describe.skipIf(!isHere)("the same sandbox with counters that count", () => {
  const { lines, onLog } = log();
  let url: URL;
  let kv: string;
  beforeAll(async () => {
    const config = { node: "dev", rates_poll_s: "1", report: "lines" };
    const program = await build("steered", folder);
    url = new URL(keep(await startViceroy({ program, folder, backends, config, rates: {}, onLog })).url);
    kv = keep(await startKvFront([url.href])).url;
  });

  const call = (method: string, path: string, body?: string, token = API_TOKEN) =>
    fetch(`${kv}/resources/stores/kv/${STORE}${path}`, {
      method,
      headers: { "fastly-key": token },
      ...(body === undefined ? {} : { body }),
    });
  const line = (key: string, value: string) =>
    JSON.stringify({ key, value: Buffer.from(value).toString("base64"), background_fetch: true });
  const write = async (table: string) => expect((await call("PUT", "/batch", line(tableKey("dev"), table))).status).toBe(200);
  /** Every key may have 100 in 50 s; the node as much as comes. */
  const table = (epoch: number, change = {}) => {
    const held = heldTable(epoch, 1e6, { ceiling_per_s: 2, capacity: 40 });
    return JSON.stringify({ ...held, pool: { refill_per_s: [1e4], capacity: 1e6, safe_per_s: 0 }, ...change });
  };
  /** Sends requests until one is decided by the table of `epoch`. */
  const inForce = (epoch: number) =>
    vi.waitUntil(async () => {
      await asking(url, `probe-${epoch}`);
      return lines.some((outcome) => outcome.epoch === epoch && outcome.rung === "step");
    }, PATIENCE);
  /** Sends requests until a table is refused because of `why`. */
  const refused = (why: string) =>
    vi.waitUntil(async () => {
      await asking(url, `probe-${why}`);
      return lines.some(({ event, reason }) => event === "rates_unreadable" && String(reason).includes(why));
    }, PATIENCE);

  test("the API writes the store that sandboxes read, a bad line fails alone, and only who has the token may", async () => {
    const bad = await call("PUT", "/batch", [line("a", "1"), line("b#", "2"), "{"].join("\n"));
    expect(bad.status).toBe(400);
    expect((await bad.json()).errors.map(({ key, index }: Record<string, unknown>) => [key, index])).toEqual([
      ["b#", 1],
      ["", 2],
    ]);
    expect(await (await call("GET", "/keys/a")).text()).toBe("1");
    expect((await call("DELETE", "/keys/a")).status).toBe(204);
    expect([(await call("GET", "/keys/a")).status, (await call("GET", "")).status]).toEqual([404, 200]);
    expect((await call("PUT", "/batch", line("a", "1"), "wrong")).status).toBe(401);
  });

  test("105 requests with one key against 100: 100 reach the origin, the rest get 429", async () => {
    await write(table(1));
    await inForce(1);
    const before = asked.length;
    expect(await statusesOf(url, 105)).toEqual({ 200: 100, 429: 5 });
    expect(asked.length - before).toBe(100);
    const answer = await asking(url, "k1");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([429, "application/problem+json"]);
    expect(answer.headers.get("RateLimit-Policy")).toBe('"bucket";q=100;w=50');
    expect(answer.headers.get("RateLimit")).toMatch(/^"bucket";r=0;t=\d+$/);
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThanOrEqual(25);
    expect(await answer.json()).toMatchObject({ status: 429, "violated-policies": ["bucket"] });
    const told = lines.filter(({ bucket, throttled }) => bucket !== undefined && throttled === 1);
    expect(told).toHaveLength(6);
  });

  test("a newer table replaces the one in force", async () => {
    await write(table(2, { default: { refill_per_s: [], capacity: 0, ceiling_per_s: 0, safe_per_s: 0 } }));
    await inForce(2);
    expect(await statusesOf(url, 1, "k3")).toEqual({ 429: 1 });
    await write(table(3));
    await inForce(3);
    expect(await statusesOf(url, 1, "k3")).toEqual({ 200: 1 });
  });

  test.each([
    ["an older epoch", table(1, { mode: "shadow" }), "has epoch 1"],
    ["half a table", table(9).slice(0, 99), "not JSON"],
    ["another version", table(9).replace('"version":1', '"version":2'), "version 2"],
    ["another node's table", table(9).replace('"dev"', '"other"'), "for node other"],
  ])("%s is refused, and the log says so", async (_, text, why) => {
    await write(text);
    await refused(why);
    const last = lines.filter(({ bucket }) => bucket !== undefined).at(-1);
    expect(last).toMatchObject({ epoch: 3, rung: "step" });
  });
});

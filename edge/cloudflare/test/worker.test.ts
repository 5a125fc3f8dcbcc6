import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { isolate, publish, reservedText, T0, tableText } from "./rig.ts";

afterEach(() => reset());

test("a request without an API key is refused with 401, and costs nothing", async () => {
  await publish(tableText(1));
  const { ask, asked, statuses } = isolate();
  const answer = await ask();
  expect([answer.status, answer.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
  expect(answer.headers.get("WWW-Authenticate")).toBe('ApiKey header="x-api-key"');
  expect(await answer.json()).toMatchObject({ status: 401, detail: "Send your API key in the header x-api-key." });
  expect((await ask("")).status).toBe(401);
  expect(asked).toHaveLength(0);
  expect(await statuses(101)).toEqual({ 200: 100, 429: 1 });
});

test("105 requests with one key against a capacity of 100: 100 pass, 5 get 429", async () => {
  await publish(tableText(1));
  const { statuses, asked } = isolate();
  expect(await statuses(105)).toEqual({ 200: 100, 429: 5 });
  expect(asked).toHaveLength(100);
});

test("so do 105 requests at once", async () => {
  await publish(tableText(1));
  const { ask, asked } = isolate();
  const answers = await Promise.all(Array.from({ length: 105 }, () => ask("k1")));
  expect(answers.filter((answer) => answer.status === 429)).toHaveLength(5);
  expect(asked).toHaveLength(100);
});

test("a key's own ceiling binds it and no other", async () => {
  await publish(tableText(1, 0, { default: { refill_per_s: [], capacity: 30, ceiling_per_s: 0, safe_per_s: 0 } }));
  const { statuses } = isolate();
  expect(await statuses(35, "k1")).toEqual({ 200: 30, 429: 5 });
  expect(await statuses(35, "k2")).toEqual({ 200: 30, 429: 5 });
});

test("unlisted keys leave what they must to one that is listed", async () => {
  await publish(await reservedText(1));
  const { statuses } = isolate();
  expect(await statuses(50, "new")).toEqual({ 200: 40, 429: 10 });
  expect(await statuses(5, "newer")).toEqual({ 429: 5 });
  expect(await statuses(65, "known")).toEqual({ 200: 60, 429: 5 });
});

test("an admitted request reaches the origin as it was, and its answer says what is left", async () => {
  await publish(tableText(1, 10));
  const { ask, asked } = isolate();
  const answer = await ask("k1", { method: "POST", body: "ping", headers: { "x-other": "1" } });
  expect([answer.status, await answer.text()]).toEqual([200, "from the origin"]);
  expect(answer.headers.get("RateLimit-Policy")).toBe('"bucket";q=400;w=40');
  expect(answer.headers.get("RateLimit")).toBe('"bucket";r=99;t=1');
  const [request] = asked;
  expect([request?.method, request?.url, await request?.text()]).toEqual(["POST", "https://api.example.com/items?page=2", "ping"]);
  expect([request?.headers.get("x-other"), request?.headers.get("x-api-key")]).toEqual(["1", "k1"]);
});

test("a refused request is told when to come back", async () => {
  await publish(tableText(1, 1));
  const { ask, statuses, clock } = isolate();
  await statuses(100);
  const answer = await ask("k1");
  expect(answer.status).toBe(429);
  expect(answer.headers.get("RateLimit")).toBe('"bucket";r=0;t=1');
  expect(answer.headers.get("Retry-After")).toBe("2");
  expect(await answer.json()).toMatchObject({ type: "https://iana.org/assignments/http-problem-types#quota-exceeded", status: 429 });
  clock.now += 2_000;
  expect(await statuses(3)).toEqual({ 200: 2, 429: 1 });
});

test("an origin that fails is counted, and one that cannot be reached is a 502", async () => {
  await publish(tableText(1));
  const away = { fetch: () => Promise.reject(new Error("refused")) };
  const { ask, events } = isolate({ ORIGIN_SERVICE: away });
  expect((await ask("k1")).status).toBe(502);
  expect(events("origin_unreachable")).toMatchObject([{ reason: "Error: refused", node: "dev" }]);
});

test.each([
  ["of 10 kB", "x".repeat(10_000)],
  ["of every printable character", Array.from({ length: 94 }, (_, i) => String.fromCharCode(i + 33)).join("")],
  ["that looks like another's bucket", "key:3f9a"],
  ["named like what objects have", "__proto__"],
])("a key %s is a key like any other", async (_, key) => {
  await publish(tableText(1));
  const { statuses, lines } = isolate({ LOG_SAMPLE: "1" });
  expect(await statuses(101, key)).toEqual({ 200: 100, 429: 1 });
  expect(JSON.stringify(lines)).not.toContain(key);
});

test("a key of bytes beyond ASCII is a key of its own", async () => {
  await publish(tableText(1));
  const { ask, events } = isolate({ LOG_SAMPLE: "1" });
  for (const key of ["\u00ff", "\u00fe"]) expect((await ask(key)).status).toBe(200);
  const [one, other] = events("request");
  expect(one?.key).not.toEqual(other?.key);
});

test("a sampled line says key, decision, what is left and when it is full again, and holds no API key", async () => {
  await publish(tableText(7, 10));
  const { statuses, events, lines } = isolate({ LOG_SAMPLE: "1" });
  await statuses(101, "a secret");
  const [first, last] = [events("request")[0], events("request").at(-1)];
  expect(first).toMatchObject({ node: "dev", epoch: 7, decision: "borrowed", status: 200, tokens_left: 99, refill_ms: 100 });
  expect(first?.key).toMatch(/^key:[0-9a-f]{64}$/);
  expect(last).toMatchObject({ decision: "pool", admitted: false, status: 429, tokens_left: 0 });
  expect(JSON.stringify(lines)).not.toContain("a secret");
});

test("nothing is logged of requests that are not in the sample", async () => {
  await publish(tableText(1));
  const { statuses, lines } = isolate({ LOG_SAMPLE: "0.5" });
  await statuses(10);
  expect(lines).toEqual([]);
});

test("usage is logged per key and minute", async () => {
  await publish(tableText(1));
  const { statuses, events, clock } = isolate();
  await statuses(101, "k1");
  await statuses(2, "k2");
  clock.now = T0 + 60_000;
  await statuses(1, "k1");
  expect(events("usage")).toMatchObject([
    {
      node: "dev",
      minute: "2026-11-21T20:00:00.000Z",
      usage: [
        { admitted: 100, throttled: 1 },
        { admitted: 0, throttled: 2 },
      ],
    },
  ]);
});

test("in shadow mode everything passes and the log says what would not", async () => {
  await publish(tableText(1, 0, { mode: "shadow" }));
  const { statuses, events } = isolate({ LOG_SAMPLE: "1" });
  expect(await statuses(105)).toEqual({ 200: 105 });
  expect(events("request").at(-1)).toMatchObject({ decision: "pool", admitted: true });
});

test.each([
  ["RATES_CACHE_TTL_S", "29", 'RATES_CACHE_TTL_S is "29": give a number from 30 to 86400'],
  ["ORIGIN", "api.example.com", 'ORIGIN is "api.example.com": give a URL such as https://api.example.com'],
  ["NODE", "a/b", 'NODE is "a/b": give up to 60 of A-Z a-z 0-9 _ -, with {colo} for the location'],
  ["EXACT", "yes", 'EXACT is "yes": give one of off, on'],
])("a deployment whose %s is %s is refused with what would do", async (name, value, message) => {
  await expect(isolate({ [name]: value }).ask("k1")).rejects.toThrow(message);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { edge } from "../src/bundle.ts";
import { ask, sendAll } from "../src/compare/client.ts";
import { cost, type PriceList } from "../src/compare/cost.ts";
import { Queue, startOrigin } from "../src/compare/finite-origin.ts";
import { type Measures, measure } from "../src/compare/measures.ts";
import { options } from "../src/compare/options.ts";
import { markdown } from "../src/compare/report.ts";
import { dispersion } from "../src/compare/timetable.ts";
import { listen } from "../src/loopback.ts";

const PRICES = JSON.parse(readFileSync(join(edge(), "../config/edge-prices.json"), "utf8")) as PriceList;

test("an origin serves its burst at once, then makes wait, then refuses, and recovers", () => {
  const queue = new Queue({ sustainedPerS: 10, burst: 5 });
  const waits = Array.from({ length: 17 }, () => queue.enter(0));
  expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  expect(waits.slice(5, 8)).toEqual([100, 200, 300]);
  expect(waits.slice(14)).toEqual([1000, undefined, undefined]);
  expect(queue.enter(1_000)).toBe(100);
  expect(Array.from({ length: 6 }, () => queue.enter(60_000))).toEqual([0, 0, 0, 0, 0, 100]);
});

test("over HTTP, an origin beyond its capacity answers 503", async () => {
  const origin = await startOrigin({ sustainedPerS: 1, burst: 2 });
  onTestFinished(origin.stop);
  const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await fetch(origin.url)).status));
  expect(statuses.filter((status) => status === 200).length).toBeLessThan(6);
  expect(origin.counts()).toEqual({
    served: statuses.filter((s) => s === 200).length,
    refused: statuses.filter((s) => s === 503).length,
  });
});

test("a client tries again, marked as a retry and not before it may, and counts from when the request was due", async () => {
  const asked: { at: number; retry: string | undefined }[] = [];
  const server = await listen((request, response) => {
    asked.push({ at: performance.now(), retry: request.headers["x-retry-attempt"] as string | undefined });
    const status = [429, 503, 200][asked.length - 1] ?? 500;
    response.writeHead(status, asked.length === 1 ? { "retry-after": "1" } : {}).end();
  });
  onTestFinished(server.stop);
  const outcome = await ask(new URL(server.url), { ms: 0, node: 0, bucket: 0 }, performance.now() - 5_000);
  expect([outcome.statuses, outcome.isServed]).toEqual([[429, 503, 200], true]);
  expect(asked.map(({ retry }) => retry)).toEqual([undefined, "1", "2"]);
  expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThan(990);
  expect(outcome.latencyMs).toBeGreaterThan(6_000);
});

test("a client gives up in the end, and every request has an outcome", async () => {
  const server = await listen((_, response) => void response.writeHead(200).end());
  onTestFinished(server.stop);
  const arrivals = [0, 5, 5, 20].map((ms) => ({ ms, node: 0, bucket: 1 }));
  const outcomes = await sendAll(arrivals, performance.now(), () => new URL(server.url));
  expect(outcomes.map(({ ms, isServed }) => [ms, isServed])).toEqual([0, 5, 5, 20].map((ms) => [ms, true]));
  await server.stop();
  const lost = await ask(new URL(server.url), { ms: 0, node: 0, bucket: 1 }, performance.now());
  expect([lost.isServed, new Set(lost.statuses)]).toEqual([false, new Set([0])]);
});

test("measures are of requests and of answers", () => {
  const outcome = (ms: number, latencyMs: number, ...statuses: number[]) => {
    return { ms, node: 0, bucket: 0, statuses, latencyMs, isServed: statuses.at(-1) === 200 };
  };
  const outcomes = [outcome(1_000, 10, 200), outcome(2_000, 30, 429, 200), outcome(3_000, 9_000, 429, 503, 200), outcome(4_000, 1, 429)];
  const measures = measure([{ outcomes, leased: 8, storeWrites: 6, scoredS: 4 }]);
  expect(measures).toMatchObject({
    requests: 4,
    p50: 30,
    p99: 9_000,
    servedPerS: 0.5,
    givenUp: 0.25,
    leasedPerServed: 4,
    storeWritesPerS: 1.5,
  });
  expect([measures.answered429, measures.answered5xx, measures.attemptsPerServed]).toEqual([3 / 7, 1 / 7, 7 / 3]);
});

test("a month costs what the list says: requests with their retries, processor time, reads and writes, less what is included", () => {
  const measures = { attemptsPerServed: 1.1, storeWritesPerS: 1 } as Measures;
  const prices = PRICES.providers.cloudflare;
  if (prices === undefined) throw new Error("no prices");
  const { perMonth, perMillion } = cost(prices, PRICES.month_s, measures, 2, 2);
  // 540 M requests and 520 M ms beyond what is included; 172,800 writes of rates, 518,400 of state, 172,800 reads: all included.
  expect(perMonth).toBeCloseTo(5 + 540 * 0.3 + 520 * 0.02, 6);
  expect(perMillion * 500).toBeCloseTo(550 * 0.3 + 550 * 0.02 + 0.6912 * 5 + 0.1728 * 0.5, 6);
});

test("prices of stores are those of the engine's configuration", () => {
  const config = readFileSync(join(edge(), "../config/tidegate.toml"), "utf8");
  for (const [provider, prices] of Object.entries(PRICES.providers)) {
    const section = config.split(`[publish.${provider}.price]`)[1]?.split("\n[")[0] ?? "";
    const value = (key: string) => Number(new RegExp(`^${key} = (\\S+)`, "m").exec(section)?.[1]);
    expect([value("writes_per_million"), value("free_writes")], provider).toEqual([prices.writes_per_million, prices.included_writes]);
    expect([value("reads_per_million"), value("free_reads")], provider).toEqual([prices.reads_per_million, prices.included_reads]);
  }
});

test("independent requests have a dispersion of about one, bursts more", () => {
  const of = (times: readonly number[]) => dispersion({ factor: 1, arrivals: times.map((ms) => ({ ms, node: 0, bucket: 0 })) }, 1);
  expect(of([0, 1_000, 2_000, 3_000])).toBe(0);
  expect(of([0, 0, 0, 0, 3_000])).toBeCloseTo(2.15);
});

test("a wrong option is named with what would do", () => {
  expect(() => options([])).toThrow("--traces is missing");
  expect(() => options(["--traces", edge(), "--trace", "none"])).toThrow("has no none.parquet");
  expect(() => options(["--traces", edge(), "--rounds", "0"])).toThrow("--rounds is 0: give a whole number of at least 1");
});

test("the table holds the last contender against each of the others, and says where a price is not public", () => {
  const measures = measure([
    { outcomes: [{ ms: 0, node: 0, bucket: 0, statuses: [200], latencyMs: 100, isServed: true }], leased: 2, storeWrites: 0, scoredS: 1 },
  ]);
  const one = { platform: "akamai", runtime: "a shim", trace: "t", factor: 2, dispersion: 1, nodes: 2, intervalS: 2, shownAfterS: 2 };
  const results = [
    { name: "a", measures },
    { name: "b", measures: { ...measures, mean: 50 } },
  ];
  const text = markdown([{ ...one, sustainedPerS: 1, burst: 1, rounds: 1, results }], PRICES);
  expect(text).toContain("| a | 100 | 100 | 100 | 1.0 | 0.00 % | 0.00 % | 0.00 % | 1.000 | 2.00 | not public | not public |");
  expect(text).toContain("| *b against a* | -50 % | 0 % | 0 % | 0 % |  |  |  | 0 % | 0 % |  |  |");
});

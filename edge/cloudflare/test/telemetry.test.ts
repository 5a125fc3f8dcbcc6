import { reset } from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isolate, publish, T0, tableText } from "./rig.ts";

const TELEMETRY = { TELEMETRY_URL: "https://engine.example.com", TELEMETRY_TOKEN: "hunter2" };
const posts: { url: string; authorization: string | null; reports: Record<string, unknown>[] }[] = [];
let answer: () => Response;

beforeEach(async () => {
  posts.length = 0;
  answer = () => Response.json({ accepted: 1, duplicates: 0, rejected: [] }, { status: 202 });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as RequestInfo, init);
    const { reports } = (await request.json()) as { reports: Record<string, unknown>[] };
    posts.push({ url: request.url, authorization: request.headers.get("authorization"), reports });
    return answer();
  });
  await publish(tableText(3, 10));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

test("what was asked for in a window is reported soon after its end, with no further request", async () => {
  const { ask, statuses, clock, alarms, settle } = isolate(TELEMETRY);
  clock.now = T0 + 10_000;
  await statuses(102);
  await ask("k2", { headers: { "x-retry-attempt": "1" } });
  expect(alarms.map(({ ms }) => ms)).toContain(21_000);
  clock.now = T0 + 31_000;
  await settle();
  expect(posts).toHaveLength(1);
  expect(posts[0]).toMatchObject({
    url: "https://engine.example.com/v1/telemetry",
    authorization: "Bearer hunter2",
    reports: [{ node: "dev", sequence: 1, epoch: 3, start: "2026-11-21T20:00:00.000Z", seconds: 30 }],
  });
  expect(posts[0]?.reports[0]?.buckets).toMatchObject([
    { requests: 102, throttled: 2, bytes: 1500, peak_per_s: 102 },
    { requests: 1, retries: 1 },
  ]);
});

test("requests that come before the report of the window before has left are reported, too", async () => {
  const { statuses, clock, alarms, settle } = isolate({ ...TELEMETRY, WINDOW_S: "10" });
  await statuses(1);
  clock.now = T0 + 10_500;
  await statuses(2);
  expect(alarms.filter(({ ms }) => ms === 11_000 || ms === 10_500)).toHaveLength(2);
  clock.now = T0 + 21_000;
  await settle();
  const requests = posts.flatMap((post) => post.reports).map((report) => (report.buckets as { requests: number }[])[0]?.requests);
  expect(requests).toEqual([1, 2]);
});

test("an engine that is down for an hour costs no request, and the worker says so in its log and its telemetry", async () => {
  const { statuses, clock, settle, events } = isolate(TELEMETRY);
  answer = () => {
    throw new Error("connection refused");
  };
  for (let s = 0; s <= 3_600; s += 30) {
    clock.now = T0 + s * 1000;
    const counts = await statuses(2);
    expect((counts[200] ?? 0) + (counts[429] ?? 0)).toBe(2);
    await settle();
  }
  expect(events("telemetry_refused").at(-1)).toMatchObject({ reason: "Error: connection refused", waiting: 11 });
  expect(JSON.stringify(events("telemetry_refused"))).not.toContain("hunter2");
  answer = () => Response.json({ rejected: [] }, { status: 202 });
  posts.length = 0;
  clock.now += 60_000;
  await statuses(1);
  await settle();
  const reports = posts.flatMap((post) => post.reports);
  expect(reports.at(-1)).toMatchObject({
    worker: { telemetry_refused: expect.any(Number), reports_dropped: expect.any(Number), rung: "safe" },
  });
  expect(reports.length).toBeLessThanOrEqual(12);
});

test("without an engine to report to nothing is kept", async () => {
  const { statuses, clock, settle } = isolate();
  for (let s = 0; s <= 300; s += 30) {
    clock.now = T0 + s * 1000;
    await statuses(1);
    await settle();
  }
  expect(posts).toEqual([]);
});

import type { Report, Sent } from "@tidegate/core";
import { expect, test } from "vitest";
import { type Outcome, outcomeLine } from "../src/outcome.ts";
import { Collector } from "./collector.ts";

const T0 = Date.parse("2026-11-21T20:00:00Z");
const GRACE_MS = 5_000;

function rig() {
  const sent: Report[] = [];
  const status = { now: 202 };
  const clock = { ms: T0 };
  const send = async (reports: readonly Report[]): Promise<Sent> => {
    if (status.now < 300) sent.push(...reports);
    return { status: status.now };
  };
  const collector = new Collector({ windowS: 30, graceMs: GRACE_MS, instance: "c", sender: () => send });
  const take = (afterMs: number, change: Partial<Outcome> = {}) => {
    const outcome = {
      atMs: T0 + afterMs,
      node: "fra",
      epoch: 7,
      rung: "step",
      bucket: "key:a",
      throttled: 0,
      errors: 0,
      bytes: 10,
    } as const;
    return collector.take(outcomeLine({ ...outcome, ...change }), clock.ms);
  };
  const at = (afterMs: number) => {
    clock.ms = T0 + afterMs;
    return collector.flush(() => clock.ms);
  };
  return { collector, sent, status, clock, take, at };
}

test("lines in any order are a window each, once its grace is over", async () => {
  const { sent, take, at } = rig();
  for (const ms of [29_999, 100, 30_001, 200]) take(ms, ms === 200 ? { throttled: 1, bytes: 0, rung: "decay" } : {});
  await at(30_000 + GRACE_MS - 1);
  expect(sent).toEqual([]);
  await at(30_000 + GRACE_MS);
  const bucket = { bucket: "key:a", requests: 3, throttled: 1, errors: 0, bytes: 20, peak_per_s: 2 };
  const first = { node: "fra", instance: "c", sequence: 1, epoch: 7, start: "2026-11-21T20:00:00.000Z", seconds: 30 };
  expect(sent).toEqual([{ ...first, buckets: [bucket], worker: { rung: "decay" } }]);
  await at(60_000 + GRACE_MS);
  expect(sent[1]).toMatchObject({ sequence: 2, start: "2026-11-21T20:00:30.000Z", buckets: [{ requests: 1 }] });
});

test("a line that comes too late counts for the next window, and a window without lines is reported empty", async () => {
  const { sent, take, at } = rig();
  take(1_000);
  await at(30_000 + GRACE_MS);
  take(2_000);
  await at(60_000 + GRACE_MS);
  await at(90_000 + GRACE_MS);
  expect(sent.map(({ buckets }) => buckets.map(({ requests }) => requests))).toEqual([[1], [1], []]);
});

test("a table is acknowledged only when no request was decided by an older one, and none is before there is one", async () => {
  const { sent, take, at } = rig();
  take(0, { epoch: 0 });
  take(1, { epoch: 8 });
  take(31_000, { epoch: 8 });
  take(32_000, { epoch: 7 });
  take(61_000, { epoch: 8 });
  for (const end of [30_000, 60_000, 90_000]) await at(end + GRACE_MS);
  expect(sent.map(({ epoch }) => epoch)).toEqual([undefined, 7, 8]);
});

test("nodes have reports of their own, and what the engine does not take is sent again", async () => {
  const { collector, sent, status, take, at } = rig();
  take(0);
  take(0, { node: "ams" });
  status.now = 503;
  await at(30_000 + GRACE_MS);
  expect(sent).toEqual([]);
  status.now = 202;
  await at(30_000 + GRACE_MS + 120_000);
  expect(sent.filter(({ start }) => Date.parse(start) === T0).map(({ node }) => node)).toEqual(["fra", "ams"]);
  expect(collector.dropped).toBe(0);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '{"atMs":1}',
  outcomeLine({ atMs: 1, node: "a b", epoch: 1, rung: "step", bucket: "b", throttled: 0, errors: 0, bytes: 0 }),
])("what is no line of ours is refused: %s", (line) => {
  expect(rig().collector.take(line, T0)).toBe(false);
});

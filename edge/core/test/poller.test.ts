import { expect, test } from "vitest";
import { DeadlineExceeded, EdgeNode, Poller, type RateStore, tableKey } from "../src/index.ts";
import { T0, tableText } from "./tables.ts";

/** A poller whose clock, store and sleep the test turns by hand. */
function rig(store: RateStore, random = 0.5) {
  const clock = { now: T0 };
  const alarms: (() => void)[] = [];
  const sleep = () => new Promise<void>((resolve) => alarms.push(resolve));
  const poller = new Poller({ everyMs: 30_000, deadlineMs: 5_000 }, { store, sleep, random: () => random, now: () => clock.now });
  const ring = () => {
    for (const alarm of alarms.splice(0)) alarm();
  };
  return { clock, poller, ring, node: new EdgeNode("n") };
}

const storeOf = (text: string | null) => async () => new Map([[tableKey("n"), text]]);

test("a read that is due brings the table in force, and puts the next one off", async () => {
  const { poller, node, clock } = rig(storeOf(tableText(3)));
  expect(poller.isDue(T0)).toBe(true);
  expect(await poller.read(node)).toEqual({ kind: "adopted" });
  expect([node.epoch, poller.isDue(T0), poller.isDue(T0 + 29_999), poller.isDue(T0 + 30_000)]).toEqual([3, false, false, true]);
  clock.now += 30_000;
  expect(await poller.read(node)).toEqual({ kind: "current" });
});

test("reads are spread by a fifth either way", async () => {
  for (const [random, wait] of [
    [0, 24_000],
    [1, 36_000],
  ] as const) {
    const { poller, node } = rig(storeOf(tableText(3)), random);
    await poller.read(node);
    expect([poller.isDue(T0 + wait - 1), poller.isDue(T0 + wait)]).toEqual([false, true]);
  }
});

test.each([
  ["throws", () => Promise.reject(new Error("KV is away"))],
  [
    "throws at once",
    () => {
      throw new Error("KV is away");
    },
  ],
  ["answers with half a table", storeOf(tableText(4).slice(0, 100))],
  ["answers with an older epoch", storeOf(tableText(2))],
])("a store that %s leaves the table in force, and is asked again less and less often", async (_, broken) => {
  let store: RateStore = storeOf(tableText(3));
  const { poller, node, clock } = rig((keys) => store(keys));
  await poller.read(node);
  store = broken;
  const waits: number[] = [];
  for (let failures = 1; failures <= 6; failures += 1) {
    expect(await poller.read(node)).toMatchObject({ kind: "failed" });
    const from = clock.now;
    while (!poller.isDue(clock.now)) clock.now += 500;
    waits.push(clock.now - from);
    expect([poller.failures, node.epoch, node.refillPerS(T0)]).toEqual([failures, 3, 10]);
  }
  expect(waits).toEqual([1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
});

test("a store that hangs holds up one read, not the next", async () => {
  const { poller, node, ring } = rig(() => new Promise(() => {}));
  const read = poller.read(node);
  expect(poller.isDue(T0 + 9_999)).toBe(false);
  expect(poller.isDue(T0 + 10_000), "a read whose end never comes is given up for lost").toBe(true);
  ring();
  expect(await read).toMatchObject({ kind: "failed", error: expect.any(DeadlineExceeded) });
});

test("a clock that is set back by an hour does not put the next read off by an hour", async () => {
  const { poller, node } = rig(storeOf(tableText(3)));
  await poller.read(node);
  expect(poller.isDue(T0 - 3_600_000)).toBe(true);
});

test("a store without a table is no failure", async () => {
  const { poller, node } = rig(storeOf(null));
  expect(await poller.read(node)).toEqual({ kind: "missing" });
  expect(poller.failures).toBe(0);
});

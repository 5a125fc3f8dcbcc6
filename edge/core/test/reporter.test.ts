import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeNode, parseTable, REPORT_BOUNDS, type Report, Reporter, type Sent } from "../src/index.ts";
import { T0, tableText } from "./tables.ts";

function rig(bounds = {}) {
  const node = new EdgeNode("n", "i1");
  node.adopt(parseTable(tableText(4)), T0);
  const reporter = new Reporter({ ...REPORT_BOUNDS, ...bounds }, () => 0.5);
  const batches: (readonly Report[])[] = [];
  const answers: (Sent | Error)[] = [];
  const send = async (reports: readonly Report[]) => {
    batches.push(reports);
    const answer = answers.shift() ?? { status: 202 };
    if (answer instanceof Error) throw answer;
    return answer;
  };
  /** One request in the window that begins `s` seconds after the start. */
  const request = (s: number) => {
    reporter.roll(node, T0 + s * 1000);
    node.take("key:b", 1, T0 + s * 1000);
  };
  return { node, reporter, batches, answers, send, request };
}

test("windows are aligned, numbered, and closed once they are over", async () => {
  const { reporter, batches, send, request } = rig();
  for (const s of [1, 29.999, 30, 95]) request(s);
  expect(reporter.waiting).toBe(2);
  expect(await reporter.flush(send, () => T0 + 95_000)).toBeUndefined();
  const sent = batches.flat().map(({ sequence, start, buckets }) => [sequence, start, buckets[0]?.requests]);
  expect(sent).toEqual([
    [1, "2026-11-21T20:00:00.000Z", 2],
    [2, "2026-11-21T20:00:30.000Z", 1],
  ]);
  expect(batches[0]?.[0]).toMatchObject({ node: "n", instance: "i1", epoch: 4, seconds: 30 });
  expect(reporter.msToEnd(T0 + 95_000)).toBe(25_000);
});

test("a clock that runs backwards leaves the window open", () => {
  const { reporter, request } = rig();
  for (const s of [31, 5, -600, 59]) request(s);
  expect(reporter.waiting).toBe(0);
  request(61);
  expect(reporter.waiting).toBe(1);
});

test("reports go out in batches", async () => {
  const { reporter, batches, send, request } = rig({ batch: 2 });
  for (let s = 0; s <= 150; s += 30) request(s);
  await reporter.flush(send, () => T0 + 150_000);
  expect(batches.map((batch) => batch.map((report) => report.sequence))).toEqual([[1, 2], [3, 4], [5]]);
});

test.each([
  ["is away", new Error("connection refused")],
  ["fails", { status: 503 }],
])("an endpoint that %s gets the same reports later", async (_, answer) => {
  const { reporter, batches, answers, send, request } = rig();
  request(0);
  request(30);
  answers.push(answer);
  expect(await reporter.flush(send, () => T0 + 31_000)).toBeDefined();
  expect([reporter.isDue(T0 + 31_749), reporter.isDue(T0 + 31_750)]).toEqual([false, true]);
  expect(await reporter.flush(send, () => T0 + 32_000)).toBeUndefined();
  expect(batches[1]).toEqual(batches[0]);
  expect([reporter.waiting, reporter.failures, reporter.dropped]).toEqual([0, 0, 0]);
});

test("an endpoint that asks for time gets it, up to a minute", async () => {
  for (const [retryAfterS, wait] of [
    [20, 20_000],
    [9_999, 60_000],
  ] as const) {
    const { reporter, answers, send, request } = rig();
    request(0);
    request(30);
    answers.push({ status: 429, retryAfterS });
    await reporter.flush(send, () => T0);
    expect([reporter.isDue(T0 + wait - 1), reporter.isDue(T0 + wait)]).toEqual([false, true]);
  }
});

test("what the endpoint refuses for good is dropped, and counted", async () => {
  const { reporter, answers, send, request } = rig();
  for (const s of [0, 30, 60]) request(s);
  answers.push({ status: 403 });
  expect(await reporter.flush(send, () => T0)).toEqual({ status: 403 });
  request(90);
  answers.push({ status: 202, rejected: 1 });
  await reporter.flush(send, () => T0);
  expect([reporter.waiting, reporter.dropped]).toEqual([0, 3]);
});

test("an endpoint that is down for an hour costs the windows that it would refuse, and no more memory than the bound", async () => {
  const { reporter, answers, send, request, batches } = rig();
  for (let s = 0; s <= 3_600; s += 30) {
    request(s);
    answers.push(new Error("down"));
    await reporter.flush(send, () => T0 + s * 1000);
    answers.length = 0;
    expect(reporter.waiting).toBeLessThanOrEqual(11);
  }
  batches.length = 0;
  await reporter.flush(send, () => T0 + 3_600_000);
  const sent = batches.flat();
  expect(sent.at(-1)?.start).toBe("2026-11-21T20:59:30.000Z");
  expect(sent.length + reporter.dropped).toBe(120);
});

test("many buckets push out the oldest windows", () => {
  const { node, reporter } = rig({ buckets: 250 });
  for (let s = 0; s <= 120; s += 30) {
    reporter.roll(node, T0 + s * 1000);
    for (let i = 0; i < 100; i += 1) node.take(`key:${i}`, 1, T0 + s * 1000);
  }
  expect([reporter.waiting, reporter.dropped]).toEqual([2, 2]);
});

test("no request is reported twice or lost while nothing is dropped", async () => {
  const step = fc.record({ ms: fc.integer({ min: -5_000, max: 50_000 }), fails: fc.boolean() });
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const { node, reporter, answers, send, batches } = rig({ lateMs: 1e9 });
    const taken: number[] = [];
    let now = T0;
    for (const { ms, fails } of [...steps, { ms: 120_000, fails: false }]) {
      now += ms;
      reporter.roll(node, now);
      if (fails) answers.push({ status: 500 });
      const before = batches.length;
      const failure = await reporter.flush(send, () => now);
      if (failure === undefined)
        taken.push(
          ...batches
            .slice(before)
            .flat()
            .map((report) => report.sequence),
        );
      else expect(fails).toBe(true);
      answers.length = 0;
      node.take("key:b", 1, now);
    }
    expect(taken).toEqual(taken.map((_, i) => i + 1));
  });
  await fc.assert(property);
});

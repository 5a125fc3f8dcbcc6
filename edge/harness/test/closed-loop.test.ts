import type { RateTable, Report } from "@tidegate/core";
import { expect, test } from "vitest";
import { akamai } from "../src/akamai/platform.ts";
import { cloudflare } from "../src/cloudflare.ts";
import { fastly } from "../src/fastly/platform.ts";
import { viceroy } from "../src/fastly/viceroy.ts";
import { bucketOf, closedLoop, found, GRACE_S, INTERVAL_S } from "./closed-loop.ts";

/** Longer than all its waits, and a start of Fastly's local runtime, take together. */
const LONG_MS = 300_000;
/** Fastly's only where its local runtime is. */
const PLATFORMS = [cloudflare, akamai, ...(viceroy() === undefined ? [] : [fastly])];
const SUM = { requests: 0, throttled: 0 };
const total = (report: Report) =>
  report.buckets.reduce((sum, b) => ({ requests: sum.requests + b.requests, throttled: sum.throttled + b.throttled }), SUM);

test.each(PLATFORMS)(
  "on $name, rates rise within two intervals of a rise in demand, and fall after it",
  async (platform) => {
    const loop = await closedLoop(platform, ["a", "b"]);
    const bucket = await bucketOf("k1");
    const [here] = [loop.traffic("a", "k1", 10), loop.traffic("b", "k1", 10)];
    const rate = (table: RateTable) => table.buckets.get(bucket)?.refillPerS[0] ?? 0;
    // A new series is lent more than it needs until its forecasts have proved themselves.
    const seen = new Map<number, number>();
    const highest = (table: RateTable) => Math.max(...[...seen.set(table.epoch, rate(table)).values()].slice(-4));
    const calm = highest(await loop.table("a", (table) => highest(table) < 26 && seen.size > 6));

    const change = Date.now();
    here.rate(40);
    const risen = await loop.table("a", (table) => rate(table) > 1.5 * calm);
    // The first window that has the new demand from its start to its end.
    const first = Math.ceil(change / 1000 / INTERVAL_S) * INTERVAL_S;
    expect(risen.issuedMs / 1000).toBeLessThanOrEqual(first + 2 * INTERVAL_S + GRACE_S);
    // The worker has it, and it is enough.
    const isServed = (report: Report) => (report.epoch ?? 0) >= risen.epoch && total(report).requests > 70 && total(report).throttled === 0;
    await found(
      () => loop.reports("a"),
      (all) => all.some(isServed),
    );

    const high = rate(await loop.table("a", () => true));
    here.rate(2);
    await loop.table("a", (table) => rate(table) < 0.75 * high);
  },
  LONG_MS,
);

test.each(PLATFORMS)(
  "on $name, with the engine killed the worker walks down its ladder, and back up once there is one",
  async (platform) => {
    const shed = await bucketOf("shed");
    const policy = `[[planner.policies]]\nname = "shed"\nbuckets = "${shed}"\nfloor_per_s = 0.5\nwhen_stale = "floor"`;
    const loop = await closedLoop(platform, ["a"], policy);
    for (const key of ["kept", "shed"]) loop.traffic("a", key, 8);
    const isLeased = (report: Report) => report.worker?.rung === "step" && (report.epoch ?? 0) > 3;
    await found(
      () => loop.reports("a"),
      (all) => all.some(isLeased),
    );

    await loop.killEngine();
    const last = await loop.table("a", () => true);
    const rungs = () => loop.reports("a").map((report) => report.worker?.rung);
    // A node without a table is on its safe rate too: what counts comes after the last step.
    const after = () => rungs().slice(rungs().lastIndexOf("step"));
    await found(after, (all) => all.filter((rung) => rung === "safe").length > 1);
    expect([...new Set(after())]).toEqual(["step", "decay", "safe"]);
    expect(loop.logged("rates_expired")[0]).toMatchObject({ node: "a", rung: "decay" });
    const onSafe = total(loop.reports("a").at(-1) as Report);
    expect(onSafe.throttled).toBeGreaterThan(0);
    expect(onSafe.requests - onSafe.throttled).toBeLessThan(2 * last.pool.safePerS * INTERVAL_S);
    expect(last.buckets.get(shed)).toMatchObject({ safePerS: 0.5 });
    expect(last.buckets.get(await bucketOf("kept"))?.safePerS).toBeGreaterThan(0.5);

    await loop.startEngine();
    const isBack = (report: Report) => report.worker?.rung === "step" && (report.epoch ?? 0) > last.epoch;
    await found(
      () => loop.reports("a"),
      (all) => all.some(isBack),
    );
  },
  LONG_MS,
);

test.each([cloudflare])("on $name, a node that is started anew goes on with the tokens it had", async (platform) => {
  const loop = await closedLoop(platform, ["a"], `[[planner.policies]]\nname = "slow"\nbuckets = "*"\nceiling_per_s = 2.0`);
  const remaining = async () => {
    const response = await fetch(loop.edge().url("a"), { headers: { "x-api-key": "k1" } });
    await response.arrayBuffer();
    return {
      left: Number(/r=(\d+)/.exec(response.headers.get("RateLimit") ?? "")?.[1]),
      quota: Number(/q=(\d+)/.exec(response.headers.get("RateLimit-Policy") ?? "")?.[1]),
    };
  };
  const busy = loop.traffic("a", "k1", 10);
  await found(
    () => loop.reports("a"),
    (all) => all.filter((report) => (report.epoch ?? 0) > 0 && total(report).throttled > 5).length > 2,
  );
  await busy.stop();
  await loop.restart();
  const { left, quota } = await remaining();
  expect(quota).toBeGreaterThan(0);
  expect(left).toBeLessThan(quota - 1);
});

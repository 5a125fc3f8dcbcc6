/** One run: a platform, a contender, the requests of one trace against an origin of finite capacity. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Platform } from "../platform.ts";
import { startRelay } from "../relay.ts";
import { keyOf, type Outcome, sendAll } from "./client.ts";
import type { Contender } from "./contender.ts";
import { type Capacity, startOrigin } from "./finite-origin.ts";
import { startLeaseMeter } from "./lease-meter.ts";
import type { Timetable } from "./timetable.ts";

/** What all runs of a comparison have in common. */
export interface Terms {
  readonly timetable: Timetable;
  readonly nodes: readonly string[];
  readonly capacity: Capacity;
  /** Seconds at the start that are not scored: caches fill, and the engine sees its first windows. */
  readonly warmS: number;
  readonly scoredS: number;
  readonly intervalS: number;
  /** Seconds that the store takes to show a write. */
  readonly shownAfterS: number;
}

/** What came of a run, over its scored part. */
export interface Run {
  readonly outcomes: readonly Outcome[];
  /** Tokens leased to all nodes. */
  readonly leased: number;
  /** Values that the contender wrote to the store. */
  readonly storeWrites: number;
  readonly scoredS: number;
}

const LEAD_MS = 500;

/** Runs `contender` on `platform` from nothing: no state, no history. */
export async function run(platform: Platform, contender: Contender, terms: Terms): Promise<Run> {
  const { timetable, nodes, capacity, warmS, scoredS } = terms;
  const folder = mkdtempSync(join(tmpdir(), "tidegate-compare-"));
  const stops: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const origin = await startOrigin(capacity);
    stops.push(origin.stop);
    const relay = await startRelay();
    stops.push(relay.stop);
    const { intervalS, shownAfterS } = terms;
    const times = { intervalS, pollS: intervalS, shownAfterS };
    const edge = await platform.start({ folder, nodes, origin: origin.url, telemetry: relay.url, ...times });
    stops.push(edge.stop);
    const atWork = await contender.begin({ edge, nodes, clients: clientsOf(terms), capacity, intervalS, folder, relay });
    stops.push(atWork.stop);

    const beginMs = performance.now() + LEAD_MS;
    const at = (seconds: number) => new Promise((resolve) => setTimeout(resolve, beginMs + seconds * 1000 - performance.now()));
    const scored = at(warmS).then(async () => {
      const [meter, before] = [startLeaseMeter(edge, nodes), await atWork.storeWrites()];
      await at(warmS + scoredS);
      return { leased: await meter.stop(), storeWrites: (await atWork.storeWrites()) - before };
    });
    const outcomes = await sendAll(timetable.arrivals, beginMs, (node) => edge.url(nodes[node] ?? ""));
    return { outcomes: outcomes.filter(({ ms }) => ms >= warmS * 1000), ...(await scored), scoredS };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** API keys of the clients that have requests at each node. */
function clientsOf({ timetable, nodes }: Terms): ReadonlyMap<string, readonly string[]> {
  const keys = (index: number) => timetable.arrivals.filter(({ node }) => node === index).map(({ bucket }) => keyOf(bucket));
  return new Map(nodes.map((node, index) => [node, [...new Set(keys(index))]]));
}

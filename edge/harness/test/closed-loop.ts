/**
 * The closed loop on one platform: engine → store → worker → telemetry → engine, all of it real.
 *
 * The engine's interval is two seconds instead of thirty; tests wait for what the tables and the telemetry say.
 */

import { bucketOfKey, parseTable, type RateTable, type Report, tableKey } from "@tidegate/core";
import { onTestFinished, vi } from "vitest";
import { type Engine, startEngine } from "../src/engine.ts";
import { listen } from "../src/loopback.ts";
import type { Platform, RunningPlatform } from "../src/platform.ts";
import { startRelay } from "../src/relay.ts";
import { startTraffic, type Traffic } from "../src/traffic.ts";
import { folder } from "./rig.ts";

/** The engine's interval, and how long after its end a window is planned from, in seconds. */
export const INTERVAL_S = 2;
export const GRACE_S = 1;

const CONFIG = `
[ingest]
grace_s = ${GRACE_S}
[planner]
interval_s = ${INTERVAL_S}
[planner.lease]
duration_s = 10
steps = 3
[[planner.origins]]
name = "origin"
nodes = "*"
sustained_per_s = 100.0
burst = 50.0
`;

const PATIENCE = { timeout: 90_000, interval: 200 };

/** A loop that runs. */
export interface Loop {
  /** The platform, started again by {@link Loop.restart}. */
  readonly edge: () => RunningPlatform;
  /** Every report of `node`, once each, in order. */
  readonly reports: (node: string) => readonly Report[];
  /** Lines of the workers' logs about `event`. */
  readonly logged: (event: string) => readonly Record<string, unknown>[];
  /** The newest table of `node` in the store that `fits`, once there is one. */
  readonly table: (node: string, fits: (table: RateTable) => boolean) => Promise<RateTable>;
  /** Starts traffic of one client at `node`. */
  readonly traffic: (node: string, key: string, perS: number) => Traffic;
  readonly startEngine: () => Promise<void>;
  readonly killEngine: () => Promise<void>;
  /** Stops the platform and starts it again on the same disk. */
  readonly restart: () => Promise<void>;
}

/** Starts the loop with `nodes`; `config` is added to the engine's. */
export async function closedLoop(platform: Platform, nodes: readonly string[], config = ""): Promise<Loop> {
  const [state, data] = [folder(), folder()];
  const relay = await startRelay();
  onTestFinished(relay.stop);
  const lines: Record<string, unknown>[] = [];
  const options = {
    folder: state,
    nodes,
    origin: await answering(),
    telemetry: relay.url,
    intervalS: INTERVAL_S,
    pollS: 1,
    shownAfterS: 0,
    onLog: (line: string) => void lines.push(parse(line)),
  };
  let edge = await platform.start(options);
  onTestFinished(() => edge.stop().catch(() => {}));
  let engine: Engine | undefined;
  onTestFinished(() => engine?.kill());
  const start = async () => {
    engine = await startEngine({ folder: data, config: `${CONFIG}\n${config}`, destination: edge.destination });
    relay.lead(engine.url);
  };
  await start();
  return {
    edge: () => edge,
    reports: (node) => unique(relay.reports.filter((report) => report.node === node)),
    logged: (event) => lines.filter((line) => line.event === event),
    table: (node, fits) => found(() => tableOf(edge, node), fits),
    traffic: (node, key, perS) => {
      const traffic = startTraffic(edge.url(node), key, perS);
      onTestFinished(() => traffic.stop());
      return traffic;
    },
    startEngine: start,
    killEngine: async () => {
      await engine?.kill();
      relay.lead(undefined);
    },
    restart: async () => {
      await edge.stop();
      edge = await platform.start(options);
    },
  };
}

/** The bucket of the API key `key`. */
export function bucketOf(key: string): Promise<string> {
  return bucketOfKey(key, (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** What `look` sees, once it `fits`. */
export async function found<T>(look: () => Promise<T | undefined> | T | undefined, fits: (seen: T) => boolean): Promise<T> {
  let last: T | undefined;
  const isFound = async () => {
    last = await look();
    return last !== undefined && fits(last);
  };
  await vi.waitUntil(isFound, PATIENCE);
  return last as T;
}

async function tableOf(edge: RunningPlatform, node: string): Promise<RateTable | undefined> {
  const text = await edge.read(tableKey(node));
  return text === undefined ? undefined : parseTable(text);
}

function unique(reports: readonly Report[]): readonly Report[] {
  const seen = new Map(reports.map((report) => [`${report.instance} ${report.sequence}`, report]));
  return [...seen.values()];
}

function parse(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { event: "text", line };
  }
}

/** The URL of an origin that answers at once. */
async function answering(): Promise<string> {
  const origin = await listen((_, response) => void response.end("ok"));
  onTestFinished(origin.stop);
  return origin.url;
}

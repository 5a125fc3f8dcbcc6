/** The sides of the comparison: who decides which rates the same workers enforce. */

import { bucketOfKey, tableKey } from "@tidegate/core";
import { startEngine } from "../engine.ts";
import type { RunningPlatform } from "../platform.ts";
import type { Relay } from "../relay.ts";
import type { Capacity } from "./finite-origin.ts";

/** Where a contender is at work. */
export interface Site {
  readonly edge: RunningPlatform;
  readonly nodes: readonly string[];
  /** API keys of the clients of each node. */
  readonly clients: ReadonlyMap<string, readonly string[]>;
  /** All tokens that there are to share out, per second and at once. */
  readonly capacity: Capacity;
  readonly intervalS: number;
  readonly folder: string;
  readonly relay: Relay;
}

/** A contender at work. */
export interface AtWork {
  /** Values that it has written to the store so far. */
  readonly storeWrites: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** See the module. */
export interface Contender {
  readonly name: string;
  readonly begin: (site: Site) => Promise<AtWork>;
}

/** Tables of fixed rates outlive any run. */
const LONG_MS = 86_400_000;
/** Seconds that a window of the engine has by default: its times are kept in proportion. */
const USUAL_INTERVAL_S = 30;
const USUAL_LEASE_S = 300;

const NOTHING = { refill_per_s: [], capacity: 0, ceiling_per_s: 0, safe_per_s: 0 };

/** A fixed rate per node, its part of the whole, which its keys share as they come. */
export const perNode: Contender = {
  name: "static per node",
  begin: (site) => fixed(site, 1, async () => evenPart(site)),
};

/** A node's even part of the whole, for its keys to share as they come. */
function evenPart({ capacity, nodes }: Site): object {
  const perS = capacity.sustainedPerS / nodes.length;
  const pool = { refill_per_s: [perS], capacity: capacity.burst / nodes.length, safe_per_s: perS };
  return { pool, buckets: {}, default: { ...NOTHING, ceiling_per_s: perS } };
}

/** A fixed rate per key at each node where it has requests, all the same, which no other key can use. */
export const perKey: Contender = {
  name: "static per key",
  begin: async (site) => {
    const { capacity, clients } = site;
    const parts = [...clients.values()].reduce((sum, keys) => sum + keys.length, 0);
    const [perS, burst] = [capacity.sustainedPerS / parts, capacity.burst / parts];
    const rates = { refill_per_s: [perS], capacity: burst, ceiling_per_s: 0, safe_per_s: perS };
    return fixed(site, 1, async (node) => {
      const keys = clients.get(node) ?? [];
      const ids = await Promise.all(keys.map((key) => bucketOfKey(key, digest)));
      const pool = { refill_per_s: [perS * keys.length], capacity: 0, safe_per_s: perS * keys.length };
      return { pool, buckets: Object.fromEntries(ids.map((id) => [id, rates])), default: NOTHING };
    });
  },
};

/** The engine, which learns from telemetry and writes new rates at every interval; until its first ones nodes have even parts. */
export const adaptive: Contender = {
  name: "adaptive",
  begin: async (site) => {
    const { edge, folder, capacity, intervalS, relay } = site;
    await fixed(site, 0, async () => evenPart(site));
    const lease = Math.round((USUAL_LEASE_S * intervalS) / USUAL_INTERVAL_S);
    const config = [
      `[ingest]\ngrace_s = ${Math.floor(intervalS / 2)}`,
      `[planner]\ninterval_s = ${intervalS}\n[planner.lease]\nduration_s = ${lease}`,
      `[[planner.origins]]\nname = "origin"\nnodes = "*"\nsustained_per_s = ${capacity.sustainedPerS.toFixed(3)}\nburst = ${capacity.burst.toFixed(3)}`,
    ].join("\n");
    const engine = await startEngine({ folder, config, destination: edge.destination });
    relay.lead(engine.url);
    return { storeWrites: () => writes(engine.url), stop: engine.kill };
  },
};

/** Writes the `rates` of every node, once, as a table of that `epoch`: any engine's first is 1 at least. */
async function fixed({ edge, nodes }: Site, epoch: number, rates: (node: string) => Promise<object>): Promise<AtWork> {
  const now = Date.now();
  const times = { issued_at: new Date(now).toISOString(), step_s: USUAL_INTERVAL_S, expires_at: new Date(now + LONG_MS).toISOString() };
  const head = { version: 1, epoch, mode: "enforce", instances: 1, ...times };
  for (const node of nodes) await edge.write(tableKey(node), JSON.stringify({ ...head, node, ...(await rates(node)) }));
  return { storeWrites: async () => 0, stop: async () => {} };
}

/** Writes to stores other than the engine's own. */
async function writes(engine: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", engine))).text();
  const counts = [...text.matchAll(/^tidegate_publish_writes_total\{store="(?!embedded)[^"]*"\} (\S+)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

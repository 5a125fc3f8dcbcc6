/**
 * Deciding in memory against one KV read and one write per request, on the same workerd with KV on disk:
 * `npm run bench -w @tidegate/harness`. Rounds are interleaved; the medians and their ratio are printed, then the raw rounds as JSON.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tableKey } from "@tidegate/core";
import { WORKERS } from "../bundle.ts";
import { type Load, load } from "../load.ts";
import { NAMESPACES, start, workerFrom } from "../runtime.ts";

const ROUNDS = 5;
const CONNECTIONS = 16;
const KEYS = 100;
/** Requests of one round: enough for about a second or more of each. */
const CONTENDERS = { "pass-through": 15_000, edge: 15_000, "kv-awaited": 600, "kv-behind": 600 } as const;

function table(): string {
  const rates = { refill_per_s: [], capacity: 1e6, ceiling_per_s: 1e6, safe_per_s: 0 };
  const pool = { refill_per_s: [1e6], capacity: 1e6, safe_per_s: 1e6 };
  const times = { issued_at: new Date().toISOString(), step_s: 30, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  return JSON.stringify({ version: 1, node: "dev", epoch: 1, ...times, mode: "enforce", instances: 1, pool, default: rates, buckets: {} });
}

function perRequest(name: string, isAwaited: boolean) {
  return workerFrom(name, WORKERS.kvPerRequest, {
    kvNamespaces: { STATE: "per-request" },
    bindings: { AWAITED: isAwaited },
    serviceBindings: { ORIGIN_SERVICE: "origin" },
  });
}

function passThrough() {
  return workerFrom("pass-through", WORKERS.passThrough, { serviceBindings: { ORIGIN_SERVICE: "origin" } });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

// In the working directory: the folder for temporary files is often not on a disk.
const persist = mkdtempSync(join(process.cwd(), "bench-"));
const others = [await passThrough(), await perRequest("kv-awaited", true), await perRequest("kv-behind", false)];
const runtime = await start({ persist, others, isLogged: false, vars: { STATE_KEYS: `bench:${Buffer.alloc(32, 1).toString("base64")}` } });
try {
  await (await runtime.miniflare.getKVNamespace("RATES", "edge")).put(tableKey("dev"), table());
  const rounds: Record<string, Load[]> = {};
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, count] of Object.entries(CONTENDERS)) {
      const result = await load(await runtime.url(name), count, CONNECTIONS, KEYS);
      // The first round warms up.
      if (round > 0) rounds[name] = [...(rounds[name] ?? []), result];
    }
  }
  const perS = Object.fromEntries(Object.entries(rounds).map(([name, all]) => [name, median(all.map((r) => r.perS))]));
  for (const [name, all] of Object.entries(rounds)) {
    console.log(
      `${name.padEnd(12)} ${Math.round(perS[name] ?? 0)} requests/s, p50 ${median(all.map((r) => r.p50)).toFixed(2)} ms, p99 ${median(all.map((r) => r.p99)).toFixed(2)} ms`,
    );
  }
  const ratio = (other: string) => ((perS.edge ?? 0) / (perS[other] ?? 0)).toFixed(1);
  console.log(
    `in memory: ${ratio("kv-awaited")} times KV get + put awaited, ${ratio("kv-behind")} times KV get + put behind the answer, ${ratio("pass-through")} times no limit at all`,
  );
  console.log(JSON.stringify({ connections: CONNECTIONS, keys: KEYS, namespaces: NAMESPACES, rounds }));
} finally {
  await runtime.stop();
  rmSync(persist, { recursive: true, force: true });
}

/** What Fastly Compute offers, as the rest of this package wants it. */

import { CoreCache } from "fastly:cache";
import { RateCounter } from "fastly:edge-rate-limiter";
import { KVStore } from "fastly:kv-store";
import { Logger } from "fastly:logger";
import { SecretStore } from "fastly:secret-store";
import type { RateStore, Send, Sleep } from "@tidegate/core";
import type { Counters } from "./limit.ts";
import type { LocationCache } from "./rates.ts";

/** Names of the service's resources: stores, counter, log endpoint and backends, as `fastly.toml` declares them. */
export const RESOURCES = {
  config: "tidegate",
  rates: "tidegate-rates",
  secrets: "tidegate",
  counter: "tidegate",
  outcomes: "tidegate-outcomes",
  origin: "origin",
  engine: "engine",
} as const;

export const sleep: Sleep = (ms) => new Promise((resolve) => void setTimeout(resolve, ms));

/** The location's cache. `SimpleCache` would go on to show an entry whose time is over, at least under Fastly's local runtime. */
export const locationCache: LocationCache = {
  get: async (key) => {
    const entry = CoreCache.lookup(key);
    return entry === null ? undefined : new Response(entry.body()).text();
  },
  set: (key, text, ttlS) => {
    const body = CoreCache.insert(key, { maxAge: ttlS * 1000 });
    body.append(text);
    body.close();
  },
};

/** Rate tables in KV Store. */
export function kvStore(): RateStore {
  return async (keys) => {
    const store = new KVStore(RESOURCES.rates);
    const read = async (key: string): Promise<[string, string | null]> => [key, (await (await store.get(key))?.text()) ?? null];
    return new Map(await Promise.all(keys.map(read)));
  };
}

/** The location's counters. */
export function counters(): Counters {
  const counter = new RateCounter(RESOURCES.counter);
  return {
    add: (entry) => counter.increment(entry, 1),
    count: (entry, seconds) =>
      seconds === 1 ? counter.lookupRate(entry, 1) : counter.lookupCount(entry, seconds as 10 | 20 | 30 | 40 | 50 | 60),
  };
}

/** Reports to the backend `engine`. */
export function engine(): Send {
  return async (reports) => {
    const token = (await new SecretStore(RESOURCES.secrets).get("telemetry_token"))?.plaintext();
    const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const body = JSON.stringify({ version: 1, reports });
    const response = await fetch("https://engine/v1/telemetry", { method: "POST", headers, body, backend: RESOURCES.engine });
    return { status: response.status };
  };
}

/** The log endpoint that takes a line for every request. */
export function outcomes(): (line: string) => void {
  const logger = new Logger(RESOURCES.outcomes);
  return (line) => logger.log(line);
}

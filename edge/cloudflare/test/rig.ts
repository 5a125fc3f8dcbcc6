/** A worker with a clock, an origin and pauses that the test turns by hand, on the runtime's real KV, crypto and Durable Objects. */

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { bucketOfKey, type LogLine, tableKey } from "@tidegate/core";
import type { Env } from "../src/env.ts";
import { RATES_DEADLINE_MS } from "../src/isolate.ts";
import { createWorker } from "../src/worker.ts";

/** A time on a window's edge. */
export const T0 = Date.parse("2026-11-21T20:00:00Z");

/** The bindings of `wrangler.jsonc`. */
export const ENV = bindings as unknown as Env & { readonly STATE: KVNamespace };

/** A secret of the right length, made of one character. */
export function secret(id: string, character: string): string {
  return `${id}:${btoa(character.repeat(32))}`;
}

/** A table of node `dev` whose pool holds 100 tokens and refills at `perS`; each key may use all of it. */
export function tableText(epoch: number, perS = 0, change: Record<string, unknown> = {}): string {
  return JSON.stringify({
    version: 1,
    node: "dev",
    epoch,
    issued_at: "2026-11-21T20:00:00Z",
    step_s: 30,
    expires_at: "2026-11-21T20:05:00Z",
    mode: "enforce",
    instances: 1,
    pool: { refill_per_s: [perS], capacity: 100, safe_per_s: 0 },
    default: { refill_per_s: [], capacity: 100, ceiling_per_s: 10, safe_per_s: 0 },
    buckets: {},
    ...change,
  });
}

/** {@link tableText} where unlisted keys must leave 60 of the 100 tokens to the key `known`. */
export async function reservedText(epoch: number, change: Record<string, unknown> = {}): Promise<string> {
  const known = await bucketOfKey("known", (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const entry = { refill_per_s: [], capacity: 100, ceiling_per_s: 10, safe_per_s: 0 };
  const listed = { ...entry, capacity: 0 };
  return tableText(epoch, 0, { default: { ...entry, must_leave: 60 }, buckets: { [known]: listed }, ...change });
}

/** Puts a table where the worker reads it. */
export function publish(text: string): Promise<void> {
  return ENV.RATES.put(tableKey("dev"), text);
}

/** An isolate: what it holds in memory is lost with it. */
export function isolate(change: Partial<Record<keyof Env, unknown>> = {}) {
  const clock = { now: T0 };
  const lines: LogLine[] = [];
  const alarms: { ms: number; ring: () => void }[] = [];
  const deferred: Promise<unknown>[] = [];
  const asked: Request[] = [];
  const origin = {
    fetch: async (request: Request) => {
      asked.push(request);
      return new Response("from the origin", { status: 200, headers: { "content-length": "15" } });
    },
  };
  const env = { ...ENV, LOG_SAMPLE: "0", ORIGIN_SERVICE: origin, ...change } as unknown as Env;
  const worker = createWorker({
    now: () => clock.now,
    sleep: (ms) => new Promise((ring) => alarms.push({ ms, ring })),
    random: () => 0.5,
    log: (line) => lines.push(line),
  });

  /** Sends a request with the API key `key`, or without one; the work behind its answer is kept in `deferred`. */
  async function ask(key?: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), ...(key === undefined ? {} : { "x-api-key": key }) };
    const request = new Request("https://api.example.com/items?page=2", { ...init, headers }) as Request<
      unknown,
      IncomingRequestCfProperties
    >;
    const ctx = createExecutionContext();
    const context = { ...ctx, waitUntil: (work: Promise<unknown>) => void deferred.push(work), passThroughOnException: () => {} };
    return worker.fetch(request, env, context as unknown as ExecutionContext);
  }

  /** Statuses of `count` requests, one after the other. */
  async function statuses(count: number, key = "k1"): Promise<Record<number, number>> {
    const counts: Record<number, number> = {};
    for (let i = 0; i < count; i += 1) {
      const { status } = await ask(key);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  }

  /** Ends all pauses but deadlines, and waits for the work behind the answers. */
  async function settle(): Promise<void> {
    for (const { ring } of alarms.splice(0).filter(({ ms }) => ms !== RATES_DEADLINE_MS)) ring();
    await Promise.all(deferred.splice(0));
  }

  /** Lets the deadlines of reads pass, and waits for the work behind the answers. */
  async function expire(): Promise<void> {
    for (const { ring } of alarms.splice(0)) ring();
    await Promise.all(deferred.splice(0));
  }

  async function runScheduled(): Promise<void> {
    const ctx = createExecutionContext();
    await worker.scheduled({ scheduledTime: clock.now, cron: "", noRetry: () => {} }, env);
    await waitOnExecutionContext(ctx);
  }

  const events = (event: string) => lines.filter((line) => line.event === event);
  return { clock, lines, events, alarms, deferred, asked, ask, statuses, settle, expire, runScheduled };
}

/** A store that answers as `change` says, and otherwise as the real one. */
export function store(real: KVNamespace, change: Partial<Record<"get" | "put" | "delete", (...args: never[]) => unknown>>): KVNamespace {
  return new Proxy(real, {
    get: (target, name) => {
      const changed = change[name as "get" | "put" | "delete"];
      if (changed) return changed;
      const value = target[name as keyof KVNamespace];
      return typeof value === "function" ? value.bind(target as never) : value;
    },
  });
}

/** What never comes. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

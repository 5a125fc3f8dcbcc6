/** Runtimes and tables for the tests of this folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableKey } from "@tidegate/core";
import { onTestFinished } from "vitest";
import { KV_TOKEN, NAMESPACES, type Runtime, type RuntimeOptions, start } from "../src/runtime.ts";

/** A folder, and how to remove it. */
export function temporary() {
  const path = mkdtempSync(join(tmpdir(), "tidegate-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A folder that is gone after the test. */
export function folder(): string {
  const { path, remove } = temporary();
  onTestFinished(remove);
  return path;
}

/** A runtime that is stopped after the test, if it has not been before. */
export async function running(options: Omit<RuntimeOptions, "isLogged">): Promise<Runtime> {
  const runtime = await start({ ...options, isLogged: false });
  onTestFinished(() => runtime.stop().catch(() => {}));
  return runtime;
}

/** Where the KV front has the namespace of rates. */
export function namespaceUrl({ kv }: Runtime, path: string): URL {
  return new URL(`/client/v4/accounts/acme/storage/kv/namespaces/${NAMESPACES.rates}/${path}`, kv);
}

/** Calls the KV front. */
export async function call(runtime: Runtime, method: string, path: string, body?: unknown, token = KV_TOKEN) {
  const init = { method, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(namespaceUrl(runtime, path), init);
  return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() };
}

/** The table of node `dev`: `tokens` for all keys and none to come; `key` says what each may have of them. */
export function heldTable(epoch: number, tokens: number, key: Record<string, number> = {}) {
  const now = Date.now();
  return {
    version: 1,
    node: "dev",
    epoch,
    issued_at: new Date(now).toISOString(),
    step_s: 30,
    expires_at: new Date(now + 600_000).toISOString(),
    mode: "enforce",
    instances: 1,
    pool: { refill_per_s: [0], capacity: tokens, safe_per_s: 0 },
    default: { refill_per_s: [], capacity: 1_000, ceiling_per_s: 10, safe_per_s: 0, ...key },
    buckets: {},
  };
}

/** Writes {@link heldTable} as the engine does. */
export async function publish(runtime: Runtime, epoch: number, tokens: number, key: Record<string, number> = {}): Promise<void> {
  const { status, text } = await call(runtime, "PUT", "bulk", [
    { key: tableKey("dev"), value: JSON.stringify(heldTable(epoch, tokens, key)), expiration_ttl: 600 },
  ]);
  if (status !== 200 || JSON.parse(text).result.successful_key_count !== 1) throw new Error(`the table was not written: ${text}`);
}

/** Statuses of `count` requests to the worker with one key, one after the other. */
export function statuses(runtime: Runtime, count: number, key?: string): Promise<Record<number, number>> {
  return statusesOf(runtime.edge, count, key);
}

/** Statuses of `count` requests to `url` with one key, one after the other. */
export async function statusesOf(url: URL, count: number, key = "k1"): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let i = 0; i < count; i += 1) {
    const response = await fetch(url, { headers: { "x-api-key": key } });
    await response.arrayBuffer();
    counts[response.status] = (counts[response.status] ?? 0) + 1;
  }
  return counts;
}

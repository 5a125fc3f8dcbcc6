/** Fastly Compute as a {@link Platform}: one viceroy per node, all written by one front, their counts gathered by the collector. */

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Collector, engineAt } from "@tidegate/fastly/collector";
import type { Listening } from "../loopback.ts";
import { type Platform, type PlatformOptions, type RunningPlatform, urlOf } from "../platform.ts";
import { startCounters } from "./counters.ts";
import { API_TOKEN, STORE, startKvFront } from "./kv-front.ts";
import { build } from "./program.ts";
import { startViceroy } from "./viceroy.ts";

/** Name of the variable that holds the token of the API. */
const TOKEN_ENV = "LOOPBACK_FASTLY_TOKEN";
/** What a line of the log endpoint begins with in viceroy's output. */
const OUTCOME = "tidegate-outcomes :: ";
/** Lines come at once here: how long a window waits for its last ones, and how often it is looked at. */
const GRACE_MS = 200;
const FLUSH_EVERY_MS = 100;

/** See the module. */
export const fastly: Platform = {
  name: "fastly",
  runtime: "viceroy, Fastly's local runtime, with rate counters of ours in place of its stubs; KV Store in memory",
  start: async (options) => {
    const program = await built(options.folder);
    const collecting = collect(options);
    const started = await Promise.all(options.nodes.map((node) => startNode(node, program, options, collecting.take)));
    const front = await startKvFront(
      started.map(({ url }) => url),
      options.shownAfterS * 1000,
    );
    const urls = new Map(options.nodes.map((node, i) => [node, new URL(started[i]?.url ?? "")]));
    return running(front, urls, async () => {
      collecting.stop();
      for (const { stop } of [front, ...started]) await stop();
    });
  },
};

/** The program, built once in `folder`. */
async function built(folder: string): Promise<string> {
  const path = join(folder, "steered.wasm");
  return existsSync(path) ? path : build("steered", folder);
}

async function startNode(node: string, program: string, options: PlatformOptions, take: (line: string) => void): Promise<Listening> {
  const { folder, origin, pollS, onLog } = options;
  const counters = await startCounters();
  const config = { node, rates_poll_s: String(pollS), report: "lines", log_sample: "0" };
  const read = (line: string) => {
    if (line.startsWith(OUTCOME)) take(line.slice(OUTCOME.length));
    else onLog?.(line);
  };
  const service = { program, folder, backends: { origin, counters: counters.url }, config, rates: {}, onLog: read };
  const { url, stop } = await startViceroy(service);
  return {
    url,
    stop: async () => {
      await stop();
      await counters.stop();
    },
  };
}

/** The collector, reading lines from viceroy's output where Fastly's log streaming would post them. */
function collect({ telemetry, intervalS }: PlatformOptions) {
  const send = engineAt(telemetry, undefined);
  const collector = new Collector({ windowS: intervalS, graceMs: GRACE_MS, instance: randomUUID(), sender: () => send });
  const timer = setInterval(() => void collector.flush(Date.now), FLUSH_EVERY_MS);
  return { take: (line: string) => void collector.take(line, Date.now()), stop: () => clearInterval(timer) };
}

function running(front: Listening, urls: ReadonlyMap<string, URL>, stop: () => Promise<void>): RunningPlatform {
  const call = (method: string, key: string, body?: string) =>
    fetch(`${front.url}/resources/stores/kv/${STORE}/keys/${key}`, {
      method,
      headers: { "fastly-key": API_TOKEN },
      ...(body === undefined ? {} : { body }),
    });
  const section = `[publish.fastly]\nstore_id = "${STORE}"\ntoken_env = "${TOKEN_ENV}"\nbase_url = "${front.url}"`;
  return {
    destination: { config: section, env: { [TOKEN_ENV]: API_TOKEN } },
    url: (node) => urlOf(urls, node),
    read: async (key) => {
      const response = await call("GET", key);
      const text = await response.text();
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`${key} cannot be read: ${text}`);
      return text;
    },
    write: async (key, text) => {
      const response = await call("PUT", key, text);
      if (!response.ok) throw new Error(`${key} was not written: ${await response.text()}`);
    },
    stop,
  };
}

/** Cloudflare Workers as a {@link Platform}: one worker per node on one workerd, all reading the namespace behind one KV front. */

import { type Platform, type PlatformOptions, type RunningPlatform, urlOf } from "./platform.ts";
import { edgeWorker, KV_TOKEN, NAMESPACES, type Runtime, start } from "./runtime.ts";

/** Name of the variable that holds the token of the KV front. */
const TOKEN_ENV = "LOOPBACK_KV_TOKEN";
const ACCOUNT = "loopback";
/** Seals the state of these nodes, which holds nothing but counts of made-up clients. */
const STATE_KEYS = `loopback:${Buffer.alloc(32, 7).toString("base64")}`;

/** See the module. */
export const cloudflare: Platform = {
  name: "cloudflare",
  runtime: "workerd through Miniflare, with Workers KV on disk",
  start: async (options) => running(await run(options), options),
};

async function run(options: PlatformOptions): Promise<Runtime> {
  const { folder, nodes, onLog, shownAfterS } = options;
  const others = await Promise.all(nodes.map((node) => edgeWorker(node, { origin: options.origin, vars: variables(node, options) })));
  return start({ persist: folder, others, isLogged: false, shownAfterMs: shownAfterS * 1000, ...(onLog === undefined ? {} : { onLog }) });
}

function variables(node: string, { telemetry, intervalS, pollS }: PlatformOptions): Record<string, string> {
  return {
    NODE: node,
    TELEMETRY_URL: telemetry,
    WINDOW_S: String(intervalS),
    RATES_POLL_S: String(pollS),
    STATE_WRITE_S: "1",
    STATE_KEYS,
    LOG_SAMPLE: "0",
  };
}

async function running(runtime: Runtime, { nodes }: PlatformOptions): Promise<RunningPlatform> {
  const urls = new Map(await Promise.all(nodes.map(async (node) => [node, await runtime.url(node)] as const)));
  const call = (method: string, path: string, body?: string) =>
    fetch(new URL(`/client/v4/accounts/${ACCOUNT}/storage/kv/namespaces/${NAMESPACES.rates}/${path}`, runtime.kv), {
      method,
      headers: { authorization: `Bearer ${KV_TOKEN}` },
      ...(body === undefined ? {} : { body }),
    });
  return {
    destination: {
      config: [
        "[publish.cloudflare]",
        `account_id = "${ACCOUNT}"`,
        `namespace_id = "${NAMESPACES.rates}"`,
        `token_env = "${TOKEN_ENV}"`,
        `base_url = "${new URL("/client/v4", runtime.kv)}"`,
      ].join("\n"),
      env: { [TOKEN_ENV]: KV_TOKEN },
    },
    url: (node) => urlOf(urls, node),
    read: async (key) => {
      const response = await call("GET", `values/${key}`);
      const text = await response.text();
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`${key} cannot be read: ${text}`);
      return text;
    },
    write: async (key, text) => {
      const response = await call("PUT", `values/${key}`, text);
      if (!response.ok) throw new Error(`${key} was not written: ${await response.text()}`);
    },
    stop: runtime.stop,
  };
}

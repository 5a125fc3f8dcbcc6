/** Akamai EdgeWorkers as a {@link Platform}: one isolate of ours per node, all reading one EdgeKV. */

import { type Platform, type PlatformOptions, type RunningPlatform, urlOf } from "../platform.ts";
import { type EdgeKv, NAMESPACE, startEdgeKv } from "./edgekv.ts";
import { startNode } from "./node.ts";

/** Name of the variable that holds the credentials of the admin API. */
const EDGERC_ENV = "LOOPBACK_EDGERC";
const EDGERC = "[default]\nhost = loopback.example.net\nclient_token = c\nclient_secret = s\naccess_token = a\n";

/** See the module. */
export const akamai: Platform = {
  name: "akamai",
  runtime: "a V8 context of ours with EdgeWorkers' documented modules, not Akamai's runtime; EdgeKV of ours in memory",
  start: async (options) => {
    const kv = await startEdgeKv({ shownAfterMs: options.shownAfterS * 1000 });
    const nodes = await Promise.all(options.nodes.map(async (node) => [node, await startNode(nodeOptions(node, kv, options))] as const));
    return running(kv, new Map(nodes.map(([node, { url }]) => [node, new URL(url)])), async () => {
      for (const [, { stop }] of nodes) await stop();
      await kv.stop();
    });
  },
};

function nodeOptions(node: string, kv: EdgeKv, { origin, telemetry, intervalS, pollS, onLog }: PlatformOptions) {
  const variables = { WINDOW_S: String(intervalS), RATES_POLL_S: String(pollS) };
  return { node, origin, telemetry, edgeKv: kv.url, variables, ...(onLog === undefined ? {} : { onLog }) };
}

function running(kv: EdgeKv, urls: ReadonlyMap<string, URL>, stop: () => Promise<void>): RunningPlatform {
  const section = `[publish.akamai]\nnamespace = "${NAMESPACE}"\nedgerc_env = "${EDGERC_ENV}"\nbase_url = "${kv.url}"`;
  // The engine refuses to start with more nodes than EdgeKV can be written for in time.
  const env = { [EDGERC_ENV]: EDGERC, TIDEGATE__INGEST__NODES: String(urls.size) };
  return {
    destination: { config: section, env },
    url: (node) => urlOf(urls, node),
    read: async (key) => kv.items.get(`rates/${key}`),
    write: async (key, text) => void kv.items.set(`rates/${key}`, text),
    stop,
  };
}

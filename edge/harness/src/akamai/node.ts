/** A node of Akamai's as this machine can run it: the bundle in an {@link isolate} of ours, behind HTTP, reading EdgeKV on the loopback. */

import { bundle, WORKERS } from "../bundle.ts";
import type { Listening } from "../loopback.ts";
import { ACCESS_TOKEN, EDGEKV_HOST } from "./edgekv.ts";
import { isolate } from "./isolate.ts";
import { serve } from "./property.ts";

/** What to start. */
export interface NodeOptions {
  /** Id of the node. */
  readonly node: string;
  /** Base URL of the origin. */
  readonly origin: string;
  /** Base URL of EdgeKV. */
  readonly edgeKv: string;
  /** Base URL of what takes the node's telemetry; it reports nothing if left out. */
  readonly telemetry?: string;
  /** Further variables of the property, without `PMUSER_TIDEGATE_`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Gets each line that the worker logs. */
  readonly onLog?: (line: string) => void;
  /** Port on the loopback, any that is free if left out. */
  readonly port?: number;
}

/** Where the worker believes the engine to be. */
const ENGINE_HOST = "engine.example.com";

/** Starts a node with an isolate that has seen nothing yet. */
export async function startNode({ node, origin, edgeKv, telemetry, variables = {}, onLog, port }: NodeOptions): Promise<Listening> {
  const { script } = await bundle(WORKERS.akamai);
  const set = {
    NODE: node,
    EDGEKV_TOKEN: ACCESS_TOKEN,
    LOG_SAMPLE: "0",
    ...(telemetry === undefined ? {} : { TELEMETRY_URL: `https://${ENGINE_HOST}` }),
    ...variables,
  };
  const worker = await isolate(script, {
    variables: Object.fromEntries(Object.entries(set).map(([name, value]) => [`PMUSER_TIDEGATE_${name}`, value])),
    hosts: { [EDGEKV_HOST]: edgeKv, ...(telemetry === undefined ? {} : { [ENGINE_HOST]: telemetry }) },
    ...(onLog === undefined ? {} : { onLog }),
  });
  return serve(worker, origin, (error) => onLog?.(JSON.stringify({ event: "handler_failed", node, reason: String(error) })), port);
}

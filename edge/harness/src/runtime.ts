/** workerd with the worker, its KV on disk, the KV front and an origin, each on a port of its own. */

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Miniflare, type WorkerOptions } from "miniflare";
import { bundle, WORKERS } from "./bundle.ts";

/** What to run. */
export interface RuntimeOptions {
  /** Folder that keeps KV and Durable Objects from one run to the next. */
  readonly persist: string;
  /** Variables of the worker. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Origin to fetch; without one, a worker of the same runtime answers. */
  readonly origin?: string;
  /** Ports on the loopback, 0 for any that is free. */
  readonly ports?: { readonly edge?: number; readonly kv?: number };
  /** Calls that the KV front takes in five minutes. */
  readonly callsPer5Minutes?: number;
  /** Milliseconds until the KV front shows a write; 0 if left out. */
  readonly shownAfterMs?: number;
  /** Whether lines of the workers' logs go to standard output; they do if left out. */
  readonly isLogged?: boolean;
  /** Gets each line of the workers' logs instead. */
  readonly onLog?: (line: string) => void;
  /** Further workers. */
  readonly others?: readonly WorkerOptions[];
}

/** A runtime that answers. */
export interface Runtime {
  readonly miniflare: Miniflare;
  /** Base URL of the worker. */
  readonly edge: URL;
  /** Base URL of the KV front. */
  readonly kv: URL;
  /** Base URL of another worker, by its name. */
  readonly url: (worker: string) => Promise<URL>;
  readonly stop: () => Promise<void>;
}

/** The token that the KV front takes, and the ids of the namespaces. */
export const KV_TOKEN = "loopback";
export const NAMESPACES = { rates: "rates", state: "state" } as const;
/** The contract that the workers run under. */
export const COMPATIBILITY_DATE = "2026-04-01";

const LOOPBACK = "127.0.0.1";

/** A worker made from the source at `path`. */
export async function workerFrom(name: string, path: string, options: Partial<WorkerOptions> = {}): Promise<WorkerOptions> {
  const { script } = await bundle(path);
  const port = { unsafeDirectSockets: [{ host: LOOPBACK, port: 0 }] };
  return { name, modules: true, script, compatibilityDate: COMPATIBILITY_DATE, ...port, ...options } as WorkerOptions;
}

/** Starts what `options` say. */
export async function start(options: RuntimeOptions): Promise<Runtime> {
  const { persist, ports = {} } = options;
  const miniflare = new Miniflare({
    host: LOOPBACK,
    cf: false,
    telemetry: { enabled: false },
    ...stdio(options),
    kvPersist: `${persist}/kv`,
    durableObjectsPersist: `${persist}/do`,
    workers: [
      await edgeWorker("edge", options, ports.edge ?? 0),
      await kvFront(options, ports.kv ?? 0),
      await workerFrom("origin", WORKERS.origin),
      ...(options.others ?? []),
    ],
  });
  await miniflare.ready;
  const url = (worker: string) => miniflare.unsafeGetDirectURL(worker);
  return { miniflare, url, edge: await url("edge"), kv: await url("kv-front"), stop: () => miniflare.dispose() };
}

function stdio({ isLogged = true, onLog }: RuntimeOptions) {
  if (isLogged && onLog === undefined) return {};
  const handle = (stream: Readable) => {
    if (onLog === undefined) stream.resume();
    else createInterface(stream).on("line", onLog);
  };
  return { handleRuntimeStdio: (...streams: readonly Readable[]) => streams.forEach(handle) };
}

/** The worker as one node of several, all on the same namespaces. */
export function edgeWorker(name: string, { vars, origin }: Pick<RuntimeOptions, "vars" | "origin">, port = 0): Promise<WorkerOptions> {
  return workerFrom(name, WORKERS.cloudflare, {
    unsafeDirectSockets: [{ host: LOOPBACK, port }],
    kvNamespaces: { RATES: NAMESPACES.rates, STATE: NAMESPACES.state },
    durableObjects: { EXACT_LIMITS: { className: "ExactLimit", useSQLite: true } },
    bindings: { NODE: "dev", LOG_SAMPLE: "0", ...(origin === undefined ? {} : { ORIGIN: origin }), ...vars },
    ...(origin === undefined ? { serviceBindings: { ORIGIN_SERVICE: "origin" } } : {}),
  });
}

function kvFront({ callsPer5Minutes = 1_200, shownAfterMs = 0 }: RuntimeOptions, port: number): Promise<WorkerOptions> {
  return workerFrom("kv-front", WORKERS.kvFront, {
    unsafeDirectSockets: [{ host: LOOPBACK, port }],
    kvNamespaces: { [NAMESPACES.rates]: NAMESPACES.rates, [NAMESPACES.state]: NAMESPACES.state },
    bindings: { TOKEN: KV_TOKEN, CALLS_PER_5_MINUTES: callsPer5Minutes, SHOWN_AFTER_MS: shownAfterMs },
  });
}

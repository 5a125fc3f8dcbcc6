/** An edge platform as this machine runs it: some nodes in front of an origin, and the store from which they read their rates. */

/** What to start. */
export interface PlatformOptions {
  /** Folder that keeps what outlives a restart of the platform. */
  readonly folder: string;
  /** Ids of the nodes. */
  readonly nodes: readonly string[];
  /** Base URL of the origin that all nodes lead to. */
  readonly origin: string;
  /** Base URL of what takes the nodes' telemetry. */
  readonly telemetry: string;
  /** Length of a window in seconds: the engine's interval. */
  readonly intervalS: number;
  /** Seconds between two reads of the rates by a node. */
  readonly pollS: number;
  /** Seconds from when the store acknowledges a write of the engine until nodes are shown it. */
  readonly shownAfterS: number;
  /** Gets each line that a worker logs; they are dropped if left out. */
  readonly onLog?: (line: string) => void;
}

/** Where the engine writes the rates of this platform. */
export interface Destination {
  /** The section of the engine's configuration, TOML. */
  readonly config: string;
  /** Variables of the engine's environment, such as the store's token. */
  readonly env: Readonly<Record<string, string>>;
}

/** A platform whose nodes answer. */
export interface RunningPlatform {
  readonly destination: Destination;
  /** Where `node` takes requests. */
  readonly url: (node: string) => URL;
  /** The text under `key` in the store of rates; `undefined` when there is none. */
  readonly read: (key: string) => Promise<string | undefined>;
  /** Writes `text` under `key` into the store of rates, as the engine would. */
  readonly write: (key: string, text: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A platform that can be started. */
export interface Platform {
  readonly name: string;
  /** What runs here in place of the provider's network, for reports. */
  readonly runtime: string;
  readonly start: (options: PlatformOptions) => Promise<RunningPlatform>;
}

/** Where `node` takes requests, of all that were started. */
export function urlOf(urls: ReadonlyMap<string, URL>, node: string): URL {
  const url = urls.get(node);
  if (url === undefined) throw new Error(`${node} is none of the nodes that were started: ${[...urls.keys()].join(", ")}`);
  return url;
}

/** What a service's Config Store `tidegate` means: units and defaults. */

/** See the module. */
export interface Settings {
  readonly node: string;
  readonly apiKeyHeader: string;
  /** Time between two reads of the table. */
  readonly ratesEveryS: number;
  /** How long the first request of a location waits for the table. */
  readonly coldWaitMs: number;
  /** Rates while there is no table: of the node, its burst, of each key. */
  readonly firstPerS: number;
  readonly firstBurst: number;
  readonly firstKeyPerS: number;
  /** Length of a window of counts, seconds: the engine's interval. */
  readonly windowS: number;
  /** Share of requests that are logged. */
  readonly logSample: number;
  /**
   * How counts get to the engine: each sandbox sends its windows to the backend `engine`, or each request is a line of the log
   * endpoint `tidegate-outcomes`, from which a collector makes windows.
   */
  readonly report: "off" | "windows" | "lines";
}

/** Reads one key of the store. */
export type Read = (key: string) => string | null;

/** A key that cannot be used. */
export class WrongKey extends Error {
  override readonly name = "WrongKey";
}

/**
 * Reads the store at the location `pop`.
 *
 * @throws WrongKey naming the key and what would do.
 */
export function settings(read: Read, pop: string): Settings {
  const text = (key: string, byDefault: string, legal: RegExp) => {
    const value = read(key) || byDefault;
    if (legal.test(value)) return value;
    throw new WrongKey(`${key} of the Config Store tidegate is ${JSON.stringify(value)}: give what matches ${legal.source}`);
  };
  const number = (key: string, byDefault: number, least: number, most: number) => {
    const value = Number(read(key) || byDefault);
    if (value >= least && value <= most) return value;
    throw new WrongKey(`${key} of the Config Store tidegate is ${value}: give a number from ${least} to ${most}`);
  };
  const place = /^[A-Za-z]{2,4}$/.test(pop) ? pop.toLowerCase() : "any";
  return {
    node: text("node", "fastly-{pop}", /^[A-Za-z0-9_-]*(\{pop\})?[A-Za-z0-9_-]*$/).replace("{pop}", place),
    apiKeyHeader: text("api_key_header", "x-api-key", /^[A-Za-z0-9-]+$/),
    ratesEveryS: number("rates_poll_s", 30, 1, 3600),
    coldWaitMs: number("cold_wait_ms", 1_000, 0, 30_000),
    firstPerS: number("first_per_s", 50, 0, 1e9),
    firstBurst: number("first_burst", 100, 0, 1e9),
    firstKeyPerS: number("first_key_per_s", 5, 0, 1e9),
    windowS: number("window_s", 30, 1, 3600),
    logSample: number("log_sample", 0.01, 0, 1),
    report: text("report", "off", /^(off|windows|lines)$/) as Settings["report"],
  };
}

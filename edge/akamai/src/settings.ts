/** What the property's variables mean. Each is a user-defined variable of Property Manager, `PMUSER_TIDEGATE_…`. */

/** See the module. */
export interface Settings {
  readonly node: string;
  readonly apiKeyHeader: string;
  /** EdgeKV: namespace, group and access token of the rate tables. */
  readonly namespace: string;
  readonly group: string;
  readonly edgeKvToken: string;
  readonly ratesEveryMs: number;
  /** Rates before the first table of this node exists, and while none can be read: of the node, its burst, of each key. */
  readonly firstPerS: number;
  readonly firstBurst: number;
  readonly firstKeyPerS: number;
  /** Length of a window of counts, seconds: the engine's interval. */
  readonly windowS: number;
  /** Share of requests that are logged. */
  readonly logSample: number;
  /** The engine's base URL, on a host that Akamai serves; `undefined` to report nothing. */
  readonly telemetryUrl: string | undefined;
  readonly telemetryToken: string | undefined;
}

/** Reads one variable of the property. */
export type Variable = (name: string) => string | undefined;

/** A variable that cannot be used. */
export class WrongVariable extends Error {
  override readonly name = "WrongVariable";
}

/**
 * Reads the variables.
 *
 * @throws WrongVariable naming the variable and what would do.
 */
export function settings(variable: Variable): Settings {
  const text = (name: string, byDefault: string, legal: RegExp) => {
    const value = variable(`PMUSER_TIDEGATE_${name}`) || byDefault;
    if (legal.test(value)) return value;
    throw new WrongVariable(`PMUSER_TIDEGATE_${name} is ${JSON.stringify(value)}: give what matches ${legal.source}`);
  };
  const number = (name: string, byDefault: number, least: number, most: number) => {
    const value = Number(variable(`PMUSER_TIDEGATE_${name}`) || byDefault);
    if (value >= least && value <= most) return value;
    throw new WrongVariable(`PMUSER_TIDEGATE_${name} is ${value}: give a number from ${least} to ${most}`);
  };
  return {
    node: text("NODE", "akamai", /^[A-Za-z0-9_-]{1,64}$/),
    apiKeyHeader: text("API_KEY_HEADER", "x-api-key", /^[A-Za-z0-9-]+$/),
    namespace: text("NAMESPACE", "tidegate", /^[A-Za-z0-9_-]{1,32}$/),
    group: text("GROUP", "rates", /^[A-Za-z0-9_-]{1,128}$/),
    edgeKvToken: text("EDGEKV_TOKEN", "", /^[^\s]*$/),
    ratesEveryMs: number("RATES_POLL_S", 30, 1, 3600) * 1000,
    firstPerS: number("FIRST_PER_S", 50, 0, 1e9),
    firstBurst: number("FIRST_BURST", 100, 0, 1e9),
    firstKeyPerS: number("FIRST_KEY_PER_S", 5, 0, 1e9),
    windowS: number("WINDOW_S", 30, 1, 3600),
    logSample: number("LOG_SAMPLE", 0.01, 0, 1),
    telemetryUrl: text("TELEMETRY_URL", "", /^(https:\/\/[^/:\s]+\/?)?$/) || undefined,
    telemetryToken: variable("PMUSER_TIDEGATE_TELEMETRY_TOKEN"),
  };
}

/** What the variables of a deployment mean: units, defaults and bounds. */

import type { Env } from "./env.ts";

/** See the module. Times are milliseconds unless a name says otherwise. */
export interface Settings {
  /** Id of the node; `{colo}` stands for the location that serves, such as `fra`. */
  readonly node: string;
  /** Base of the origin's URL; `undefined` to fetch the request's own host, as a route does. */
  readonly origin: string | undefined;
  readonly apiKeyHeader: string;
  /** A request that carries it is counted as a retry. */
  readonly retryHeader: string;
  readonly ratesEveryMs: number;
  /** How long Workers KV may answer from a location's cache. */
  readonly ratesCacheTtlS: number;
  /** How long the first requests of an isolate wait for rates and state. */
  readonly coldWaitMs: number;
  /** Rates before the first table of this node exists: of the node, its burst, and of each key. */
  readonly firstPerS: number;
  readonly firstBurst: number;
  readonly firstKeyPerS: number;
  /** Least time between two writes of the state. */
  readonly stateEveryMs: number;
  /** Idle time after which state is forgotten. */
  readonly stateExpireS: number;
  /** Whether each key's ceiling is kept exactly, by one Durable Object per key. */
  readonly isExact: boolean;
  readonly windowS: number;
  /** Share of requests that are logged. */
  readonly logSample: number;
  readonly telemetryUrl: string | undefined;
}

/** A variable that cannot be used. */
export class WrongVariable extends Error {
  override readonly name = "WrongVariable";
}

const DAY_S = 86_400;

/**
 * Reads the variables.
 *
 * @throws WrongVariable naming the variable and what would do.
 */
export function settings(env: Env): Settings {
  return {
    node: node(env.NODE ?? "cf-{colo}"),
    origin: url("ORIGIN", env.ORIGIN),
    apiKeyHeader: header("API_KEY_HEADER", env.API_KEY_HEADER ?? "x-api-key"),
    retryHeader: header("RETRY_HEADER", env.RETRY_HEADER ?? "x-retry-attempt"),
    ratesEveryMs: number("RATES_POLL_S", env.RATES_POLL_S, 30, 1, 3600) * 1000,
    // Workers KV refuses a shorter one.
    ratesCacheTtlS: number("RATES_CACHE_TTL_S", env.RATES_CACHE_TTL_S, 30, 30, DAY_S),
    coldWaitMs: number("COLD_WAIT_MS", env.COLD_WAIT_MS, 1_000, 0, 30_000),
    firstPerS: number("FIRST_PER_S", env.FIRST_PER_S, 50, 0, 1e9),
    firstBurst: number("FIRST_BURST", env.FIRST_BURST, 100, 0, 1e9),
    firstKeyPerS: number("FIRST_KEY_PER_S", env.FIRST_KEY_PER_S, 5, 0, 1e9),
    // Workers KV takes one write per second and key.
    stateEveryMs: number("STATE_WRITE_S", env.STATE_WRITE_S, 10, 1, 3600) * 1000,
    stateExpireS: number("STATE_EXPIRE_S", env.STATE_EXPIRE_S, 90 * DAY_S, 60, 3650 * DAY_S),
    isExact: oneOf("EXACT", env.EXACT ?? "off", ["off", "on"]) === "on",
    windowS: number("WINDOW_S", env.WINDOW_S, 30, 1, 3600),
    logSample: number("LOG_SAMPLE", env.LOG_SAMPLE, 0.01, 0, 1),
    telemetryUrl: url("TELEMETRY_URL", env.TELEMETRY_URL),
  };
}

function number(name: string, text: string | undefined, byDefault: number, least: number, most: number): number {
  const value = text === undefined || text === "" ? byDefault : Number(text);
  if (value >= least && value <= most) return value;
  throw new WrongVariable(`${name} is ${JSON.stringify(text)}: give a number from ${least} to ${most}`);
}

function url(name: string, text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^https?:\/\/[^/]/.test(text)) return text;
  throw new WrongVariable(`${name} is ${JSON.stringify(text)}: give a URL such as https://api.example.com`);
}

function header(name: string, text: string): string {
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text)) return text;
  throw new WrongVariable(`${name} is ${JSON.stringify(text)}: give the name of a header`);
}

function oneOf(name: string, text: string, values: readonly string[]): string {
  if (values.includes(text)) return text;
  throw new WrongVariable(`${name} is ${JSON.stringify(text)}: give one of ${values.join(", ")}`);
}

function node(text: string): string {
  if (/^[A-Za-z0-9_-]{1,60}$/.test(text.replace("{colo}", ""))) return text;
  throw new WrongVariable(`NODE is ${JSON.stringify(text)}: give up to 60 of A-Z a-z 0-9 _ -, with {colo} for the location`);
}

/** The node's id at the location `colo`. */
export function nodeAt(template: string, colo: unknown): string {
  const place = typeof colo === "string" && /^[A-Za-z]{3}$/.test(colo) ? colo.toLowerCase() : "any";
  return template.replace("{colo}", place);
}

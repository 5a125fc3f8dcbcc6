/** Options of the comparison. */

import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** See the module. */
export interface Options {
  /** Trace files, parquet. */
  readonly files: readonly string[];
  readonly platforms: readonly string[];
  readonly out: string;
  readonly rounds: number;
  readonly perS: number;
  readonly warmS: number;
  readonly scoredS: number;
  /** Where in a trace to begin, as a share of its length. */
  readonly from: number;
  readonly buckets: number;
  readonly nodes: number;
  readonly intervalS: number;
  /** Seconds that the store takes to show a write. */
  readonly shownAfterS: number;
  /** Sustained capacity of the origin as a multiple of the mean of the requests, and its burst in seconds of that. */
  readonly capacity: number;
  readonly burstS: number;
}

/** What is asked for when nothing is. */
export const USAGE = `Usage: cargo xtask compare-edge --traces DIR [--trace NAME]... [options]

  --traces DIR      folder of parquet files; all are compared unless some are named
  --trace NAME      one of them, without .parquet; may be repeated
  --platform NAME   cloudflare, fastly (which needs viceroy) or akamai, may be repeated (cloudflare)
  --out DIR         where results.json, requests.ndjson and table.md go (target/compare-edge)
  --rounds N        rounds of each contender, interleaved (2)
  --rate R          mean requests per second: traces are compressed to it (100)
  --warm S          seconds that are not scored (60)
  --seconds S       seconds that are (60)
  --from SHARE      where in a trace to begin (0.5)
  --buckets K       busiest buckets that are kept; each is one client (100)
  --nodes N         nodes that the buckets are dealt out to (4)
  --interval S      the engine's interval (2)
  --stale S         seconds that the store takes to show a write (one interval)
  --capacity X      sustained capacity of the origin, in multiples of the rate (1.5)
  --burst-seconds S burst of the origin, in seconds of its sustained capacity (8)
`;

/**
 * Reads the options.
 *
 * @throws Error naming the option and what would do.
 */
export function options(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const many = { type: "string", multiple: true } as const;
  const numbers = {
    rounds: text,
    rate: text,
    warm: text,
    seconds: text,
    from: text,
    buckets: text,
    nodes: text,
    interval: text,
    stale: text,
  } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { traces: text, trace: many, platform: many, out: text, capacity: text, "burst-seconds": text, ...numbers },
  });
  const whole = (name: keyof typeof numbers, byDefault: number, least = 1) => number(name, values[name], byDefault, least, true);
  const intervalS = whole("interval", 2);
  return {
    files: files(values.traces === undefined ? undefined : path(values.traces), values.trace),
    platforms: values.platform ?? ["cloudflare"],
    out: path(values.out ?? "compare-edge"),
    rounds: whole("rounds", 2),
    perS: number("rate", values.rate, 100, 1),
    warmS: whole("warm", 60, 0),
    scoredS: whole("seconds", 60),
    from: number("from", values.from, 0.5, 0),
    buckets: whole("buckets", 100),
    nodes: whole("nodes", 4),
    intervalS,
    shownAfterS: number("stale", values.stale, intervalS, 0),
    capacity: number("capacity", values.capacity, 1.5, 0.01),
    burstS: number("burst-seconds", values["burst-seconds"], 8, 0),
  };
}

/** A path as the caller means it, who may have started npm from elsewhere. */
function path(given: string): string {
  return resolve(process.env.TIDEGATE_CALLED_FROM ?? process.cwd(), given);
}

function files(folder: string | undefined, names: readonly string[] | undefined): string[] {
  if (folder === undefined) throw new Error(`--traces is missing\n\n${USAGE}`);
  const all = readdirSync(folder).filter((name) => name.endsWith(".parquet"));
  const wanted = names?.map((name) => `${name}.parquet`) ?? all;
  const missing = wanted.filter((name) => !all.includes(name));
  if (missing.length > 0) throw new Error(`--trace: ${folder} has no ${missing.join(", ")}; it has ${all.map(traceName).join(", ")}`);
  return wanted.map((name) => join(folder, name));
}

/** The name of the trace in `file`. */
export function traceName(file: string): string {
  return basename(file, ".parquet");
}

function number(name: string, value: string | undefined, byDefault: number, least: number, isWhole = false): number {
  const read = value === undefined ? byDefault : Number(value);
  if (read >= least && (!isWhole || Number.isInteger(read))) return read;
  throw new Error(`--${name} is ${value}: give a ${isWhole ? "whole " : ""}number of at least ${least}`);
}

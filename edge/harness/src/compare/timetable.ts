/** Requests of a trace one by one, as `tidegate-replay arrivals` makes them of a parquet file. */

import { execFileSync } from "node:child_process";

/** Names the built program. */
const PROGRAM_ENV = "TIDEGATE_REPLAY_BIN";
const MOST_BYTES = 1 << 28;

/** One request. */
export interface Arrival {
  /** Milliseconds from the start. */
  readonly ms: number;
  /** Index of the node that it arrives at. */
  readonly node: number;
  /** Index of its bucket, the busiest being 0. */
  readonly bucket: number;
}

/** What to make of a trace. */
export interface TimetableOptions {
  /** Mean requests per second. */
  readonly perS: number;
  readonly seconds: number;
  /** Where in the trace to begin, as a share of its length. */
  readonly from: number;
  readonly nodes: number;
  /** Busiest buckets that are kept. */
  readonly buckets: number;
}

/** See the module. */
export interface Timetable {
  /** Seconds of the trace that pass in one second. */
  readonly factor: number;
  readonly arrivals: readonly Arrival[];
}

/**
 * The timetable of the trace in `file`.
 *
 * @throws Error with what the program says, when the trace is too short or too busy for what is asked.
 */
export function timetable(file: string, { perS, seconds, from, nodes, buckets }: TimetableOptions): Timetable {
  const program = process.env[PROGRAM_ENV];
  if (!program) throw new Error(`${PROGRAM_ENV} is not set: run \`cargo xtask compare-edge\`, which builds the program and sets it`);
  const options = { trace: file, rate: perS, seconds, from, nodes, buckets };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const text = execFileSync(program, ["arrivals", ...args], { encoding: "utf8", maxBuffer: MOST_BYTES, stdio: ["ignore", "pipe", "pipe"] });
  const [head = "{}", ...lines] = text.trimEnd().split("\n");
  const { factor } = JSON.parse(head) as { factor: number };
  return { factor, arrivals: lines.map((line) => JSON.parse(line) as Arrival) };
}

/** Index of dispersion of the requests in windows of `seconds`: their variance by their mean, 1 where they come independently. */
export function dispersion({ arrivals }: Timetable, seconds: number): number {
  const counts: number[] = [];
  for (const { ms } of arrivals) {
    const window = Math.floor(ms / 1000 / seconds);
    counts[window] = (counts[window] ?? 0) + 1;
  }
  const filled = Array.from(counts, (count) => count ?? 0);
  const mean = filled.reduce((sum, count) => sum + count, 0) / filled.length;
  return filled.reduce((sum, count) => sum + (count - mean) ** 2, 0) / filled.length / mean;
}

/** What runs come to. */

import type { Run } from "./run.ts";

/** See the module. Latencies are in milliseconds, from when a request was due to its success; shares are fractions. */
export interface Measures {
  readonly requests: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  /** Requests served within the scored time, per second. */
  readonly servedPerS: number;
  /** Requests given up after all their attempts, of all requests. */
  readonly givenUp: number;
  /** Answers of 429 and of 5xx, of all answers. */
  readonly answered429: number;
  readonly answered5xx: number;
  readonly attemptsPerServed: number;
  readonly leasedPerServed: number;
  /** Values that the contender wrote to the store, per second. */
  readonly storeWritesPerS: number;
}

/** Measures of all `runs` of one contender, their requests taken together. */
export function measure(runs: readonly Run[]): Measures {
  const outcomes = runs.flatMap((run) => run.outcomes);
  const served = outcomes.filter(({ isServed }) => isServed);
  const latencies = served.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const statuses = outcomes.flatMap((outcome) => outcome.statuses);
  const seconds = sum(runs.map(({ scoredS }) => scoredS));
  const share = (fits: (status: number) => boolean) => statuses.filter(fits).length / statuses.length;
  return {
    requests: outcomes.length,
    mean: sum(latencies) / latencies.length,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    servedPerS: sum(runs.map(servedInTime)) / seconds,
    givenUp: 1 - served.length / outcomes.length,
    answered429: share((status) => status === 429),
    answered5xx: share((status) => status >= 500 || status === 0),
    attemptsPerServed: statuses.length / served.length,
    leasedPerServed: sum(runs.map(({ leased }) => leased)) / sum(runs.map(servedInTime)),
    storeWritesPerS: sum(runs.map(({ storeWrites }) => storeWrites)) / seconds,
  };
}

/** Requests of the scored part that were served before its end. */
function servedInTime({ outcomes, scoredS }: Run): number {
  const first = Math.min(...outcomes.map(({ ms }) => ms));
  return outcomes.filter(({ isServed, ms, latencyMs }) => isServed && ms + latencyMs < first + scoredS * 1000).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The value below which a share `q` of `sorted` lies, by nearest rank. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

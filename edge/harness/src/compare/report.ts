/** The comparison as a Markdown table. */

import { type Cost, cost, type PriceList } from "./cost.ts";
import type { Measures } from "./measures.ts";

/** What one contender came to. */
export interface Result {
  readonly name: string;
  readonly measures: Measures;
}

/** One trace on one platform, contender by contender; the last is held against the others. */
export interface Case {
  readonly platform: string;
  readonly runtime: string;
  readonly trace: string;
  /** Seconds of the trace that pass in one second. */
  readonly factor: number;
  /** Index of dispersion of the requests in windows of the interval. */
  readonly dispersion: number;
  readonly nodes: number;
  readonly intervalS: number;
  readonly shownAfterS: number;
  readonly sustainedPerS: number;
  readonly burst: number;
  readonly rounds: number;
  readonly results: readonly Result[];
}

const HEAD = [
  "",
  "latency to success: mean ms",
  "p50 ms",
  "p99 ms",
  "served/s",
  "given up",
  "429",
  "5xx",
  "attempts per served",
  "leased per served",
  "$ per million",
  "$ a month",
];

/** A section per case. */
export function markdown(cases: readonly Case[], prices: PriceList): string {
  return cases.map((one) => section(one, prices)).join("\n");
}

function section(one: Case, prices: PriceList): string {
  const { platform, runtime, trace, factor, dispersion, nodes, intervalS, shownAfterS, sustainedPerS, burst, rounds, results } = one;
  const rows = results.map(({ name, measures }) => row([name, ...figures(measures, costOf(one, measures, prices))]));
  const [last, ...others] = [...results].reverse();
  const changes = others.reverse().map((other) => row(last === undefined ? [] : change(last, other, one, prices)));
  return [
    `### ${platform}: ${trace}`,
    "",
    `${runtime}; ${nodes} nodes, an interval of ${intervalS} s, writes shown after ${shownAfterS} s;`,
    `${factor.toFixed(1)} s of the trace in one second, index of dispersion ${dispersion.toFixed(1)} per interval;`,
    `origin: ${sustainedPerS.toFixed(0)} requests/s and ${burst.toFixed(0)} at once; ${rounds} interleaved rounds, ${last?.measures.requests ?? 0} requests each side.`,
    "",
    row(HEAD),
    `|---|${"--:|".repeat(HEAD.length - 1)}`,
    ...rows,
    ...changes,
    "",
  ].join("\n");
}

function costOf({ platform, nodes, intervalS }: Case, measures: Measures, prices: PriceList): Cost | undefined {
  const list = prices.providers[platform];
  return list && cost(list, prices.month_s, measures, nodes, intervalS);
}

function figures(m: Measures, bill: Cost | undefined): string[] {
  const dollars = bill === undefined ? ["not public", "not public"] : [bill.perMillion.toFixed(3), bill.perMonth.toFixed(0)];
  const latencies = [m.mean, m.p50, m.p99].map((ms) => ms.toFixed(0));
  const shares = [m.givenUp, m.answered429, m.answered5xx].map(percent);
  return [...latencies, m.servedPerS.toFixed(1), ...shares, m.attemptsPerServed.toFixed(3), m.leasedPerServed.toFixed(2), ...dollars];
}

/** By how much `one` differs from `other`, measure by measure. */
function change(one: Result, other: Result, its: Case, prices: PriceList): string[] {
  const by = (is: number | undefined, was: number | undefined) =>
    is === undefined || !was ? "" : `${(100 * (is / was - 1)).toFixed(0)} %`;
  const measures = [
    "mean",
    "p50",
    "p99",
    "servedPerS",
    "givenUp",
    "answered429",
    "answered5xx",
    "attemptsPerServed",
    "leasedPerServed",
  ] as const;
  const [bill, before] = [costOf(its, one.measures, prices), costOf(its, other.measures, prices)];
  const dollars = [by(bill?.perMillion, before?.perMillion), by(bill?.perMonth, before?.perMonth)];
  return [`*${one.name} against ${other.name}*`, ...measures.map((key) => by(one.measures[key], other.measures[key])), ...dollars];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** What a provider would charge for a month of requests, by its list prices (`config/edge-prices.json`). */

import type { Measures } from "./measures.ts";

/** Prices of one provider, in dollars. */
export interface Prices {
  readonly base_per_month: number;
  readonly requests_per_million: number;
  readonly included_requests: number;
  readonly cpu_per_million_ms: number;
  readonly included_cpu_ms: number;
  /** Not measured here: what a local runtime takes says nothing about the provider's machines. */
  readonly assumed_cpu_ms_per_request: number;
  readonly reads_per_million: number;
  readonly included_reads: number;
  readonly writes_per_million: number;
  readonly included_writes: number;
  /** Whether nodes write the state of their buckets to the store. */
  readonly writes_state: boolean;
}

/** The price list. */
export interface PriceList {
  readonly as_of: string;
  readonly month_s: number;
  readonly providers: Readonly<Record<string, Prices>>;
}

/** Dollars a month, and per million requests served at that volume without base fee and what is included. */
export interface Cost {
  readonly perMonth: number;
  readonly perMillion: number;
}

/** Requests served in a month. */
export const MONTHLY = 500e6;
/** Seconds between two writes of a node's state, by default. */
const STATE_WRITE_S = 10;
/** Seconds of the engine's interval by default, in which each node reads its table once. */
const INTERVAL_S = 30;

/**
 * Cost of {@link MONTHLY} requests served: each attempt is a request that is charged. What goes to and from the store does not grow
 * with the requests: per interval, what the run had in its own.
 */
export function cost(prices: Prices, monthS: number, measures: Measures, nodes: number, intervalS: number): Cost {
  const requests = MONTHLY * measures.attemptsPerServed;
  const cpuMs = requests * prices.assumed_cpu_ms_per_request;
  const intervals = monthS / INTERVAL_S;
  const isWriting = measures.storeWritesPerS > 0;
  const reads = isWriting ? nodes * intervals : 0;
  const stateWrites = prices.writes_state ? (nodes * monthS) / STATE_WRITE_S : 0;
  const writes = measures.storeWritesPerS * intervalS * intervals + stateWrites;
  const bill = (included: boolean) => {
    const beyond = (amount: number, free: number) => Math.max(0, amount - (included ? free : 0)) / 1e6;
    return (
      beyond(requests, prices.included_requests) * prices.requests_per_million +
      beyond(cpuMs, prices.included_cpu_ms) * prices.cpu_per_million_ms +
      beyond(reads, prices.included_reads) * prices.reads_per_million +
      beyond(writes, prices.included_writes) * prices.writes_per_million
    );
  };
  return { perMonth: prices.base_per_month + bill(true), perMillion: bill(false) / (MONTHLY / 1e6) };
}

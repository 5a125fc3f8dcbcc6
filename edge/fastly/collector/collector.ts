/** Gets what became of requests to the engine: lines in, a report per node and window out. */

import { REPORT_BOUNDS, type Report, Reporter, type Send } from "@tidegate/core";
import { parseOutcome } from "../src/outcome.ts";
import { Tally } from "./tally.ts";

/** How windows are made. */
export interface CollectorOptions {
  /** Length of a window in seconds: the engine's interval. */
  readonly windowS: number;
  /** How long after its end a window waits for its last lines, milliseconds. */
  readonly graceMs: number;
  /** This collector's name among all that report for the same nodes. */
  readonly instance: string;
  /** Posts the reports of one node. */
  readonly sender: (node: string) => Send;
}

interface Node {
  readonly tally: Tally;
  readonly reporter: Reporter;
  readonly send: Send;
}

/** See the module. */
export class Collector {
  readonly #nodes = new Map<string, Node>();

  constructor(private readonly options: CollectorOptions) {}

  /** Counts the request of `line`; `false` when it is none. A node is known from its first line on. */
  take(line: string, nowMs: number): boolean {
    const outcome = parseOutcome(line);
    if (outcome === undefined) return false;
    const node = this.#nodes.get(outcome.node) ?? this.#open(outcome.node, Math.min(outcome.atMs, nowMs));
    node.tally.take(outcome);
    return true;
  }

  /** Closes the windows that are over at `nowMs`, of nodes without a line too, and sends what is due. Never throws. */
  async flush(now: () => number): Promise<void> {
    const nodes = [...this.#nodes.values()];
    await Promise.all(
      nodes.map(async ({ tally, reporter, send }) => {
        reporter.roll(tally, now() - this.options.graceMs);
        if (reporter.isDue(now())) await reporter.flush(send, now);
      }),
    );
  }

  /** Reports that the engine will never see. */
  get dropped(): number {
    return [...this.#nodes.values()].reduce((sum, { reporter }) => sum + reporter.dropped, 0);
  }

  /** Opens a node whose first window is the one at `atMs`. */
  #open(id: string, atMs: number): Node {
    const { instance, windowS, sender } = this.options;
    const reporter = new Reporter({ ...REPORT_BOUNDS, windowS }, Math.random);
    const node = { tally: new Tally(id, instance, REPORT_BOUNDS.buckets), reporter, send: sender(id) };
    reporter.roll(node.tally, atMs);
    this.#nodes.set(id, node);
    return node;
  }
}

/** Posts reports to the engine at `url` with the node's token, if it has one. */
export function engineAt(url: string, token: string | undefined): Send {
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return async (reports: readonly Report[]) => {
    const body = JSON.stringify({ version: 1, reports });
    const response = await fetch(new URL("/v1/telemetry", url), { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    return { status: response.status };
  };
}

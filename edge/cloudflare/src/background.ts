/** What goes on behind an answer: the next table, the state, the reports. No answer waits for any of it. */

import { type LogLine, reason, type Send, type UsageMinute } from "@tidegate/core";
import type { Isolate } from "./isolate.ts";

/** The platform ends work behind an answer after 30 s. */
const LONGEST_WAIT_MS = 28_000;
/** Windows of all isolates end together; their reports should not arrive so. */
const REPORT_SPREAD_MS = 2_000;
/** Keys in one line of the usage log. */
const USAGE_PER_LINE = 100;

/** Starts what is due. */
export class Background {
  /** End of the window whose report a timer sends. */
  #timedEndMs = 0;

  constructor(
    private readonly isolate: Isolate,
    private readonly send: Send | undefined,
  ) {}

  /** Closes windows and minutes that are over at `nowMs`. Call it before a request is counted. */
  roll(nowMs: number): void {
    const { reporter, node, notices, usage } = this.isolate;
    reporter.roll(node, nowMs, { ...notices.counts(), reports_dropped: reporter.dropped, rung: node.rung(nowMs) ?? "none" });
    if (this.send === undefined) reporter.discard();
    const minute = usage.roll(nowMs);
    if (minute !== undefined) this.#logUsage(minute);
  }

  /** Starts what is due after a decision at `nowMs`; `defer` keeps it going after the answer. */
  start(isAdmitted: boolean, nowMs: number, defer: (work: Promise<unknown>) => void): void {
    const { poller, reporter, keeper, node, notices } = this.isolate;
    if (node.rung(nowMs) !== "step" && node.epoch !== 0)
      notices.note("rates_expired", nowMs, { rung: node.rung(nowMs), epoch: node.epoch });
    if (poller.isDue(nowMs)) defer(this.#readRates());
    if (reporter.isDue(nowMs)) defer(this.#flush());
    // A refusal changes no bucket, and must not cost a write either.
    const wait = isAdmitted ? keeper?.due(nowMs) : undefined;
    if (wait !== undefined) defer(this.#writeState(wait));
    this.#setTimer(nowMs, defer);
  }

  /** Sees to it that the window's report leaves soon after its end, though no further request may come. */
  #setTimer(nowMs: number, defer: (work: Promise<unknown>) => void): void {
    const left = this.isolate.reporter.msToEnd(nowMs);
    const wait = left + this.isolate.platform.random() * REPORT_SPREAD_MS;
    if (this.#timedEndMs === nowMs + left || wait > LONGEST_WAIT_MS) return;
    this.#timedEndMs = nowMs + left;
    defer(this.#rollLater(wait));
  }

  async #rollLater(waitMs: number): Promise<void> {
    await this.isolate.platform.sleep(waitMs);
    const now = this.isolate.platform.now();
    this.roll(now);
    if (this.isolate.reporter.isDue(now)) await this.#flush();
  }

  async #readRates(): Promise<void> {
    const { poller, node, notices } = this.isolate;
    const outcome = await poller.read(node);
    if (outcome.kind === "failed") notices.failed("rates_unreadable", outcome.error, this.isolate.platform.now());
    if (outcome.kind === "missing") notices.note("rates_missing", this.isolate.platform.now(), {});
  }

  async #flush(): Promise<void> {
    const { reporter, notices } = this.isolate;
    if (this.send === undefined) return;
    const failure = await reporter.flush(this.send, this.isolate.platform.now);
    if (failure === undefined) return;
    const why = "error" in failure ? { reason: reason(failure.error) } : { status: failure.status, rejected: failure.rejected ?? 0 };
    notices.note("telemetry_refused", this.isolate.platform.now(), { ...why, waiting: reporter.waiting, dropped: reporter.dropped });
  }

  async #writeState(waitMs: number): Promise<void> {
    const { keeper, node, notices } = this.isolate;
    await this.isolate.platform.sleep(waitMs);
    const now = this.isolate.platform.now();
    try {
      await keeper?.write(node, now);
    } catch (error) {
      notices.failed("state_unwritable", error, now);
    }
  }

  #logUsage({ minute, usage, others }: UsageMinute): void {
    const { node } = this.isolate;
    const { log } = this.isolate.platform;
    const head = { event: "usage", node: node.id, instance: node.instance, minute } satisfies LogLine;
    for (let from = 0; from < usage.length; from += USAGE_PER_LINE) log({ ...head, usage: usage.slice(from, from + USAGE_PER_LINE) });
    if (others.admitted + others.throttled > 0) log({ ...head, others });
  }
}

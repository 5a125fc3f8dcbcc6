/** What an isolate holds, and what it does with a request and with its answer. */

import {
  bucketOfKey,
  EdgeNode,
  firstTable,
  KeyCache,
  type LogLine,
  Notices,
  Poller,
  REPORT_BOUNDS,
  Reporter,
  reason,
  type Send,
  type Standing,
} from "@tidegate/core";
import { crypto } from "crypto";
import { TextEncoder } from "encoding";
import { logger } from "log";
import { edgeKv } from "./edgekv.ts";
import type { Settings } from "./settings.ts";
import { telemetry } from "./telemetry.ts";

/** What became of a request. */
export interface Decision {
  readonly bucket: string;
  readonly isAdmitted: boolean;
  readonly how: "guaranteed" | "borrowed" | "ceiling" | "pool";
  readonly standing: Standing;
}

const NOTICE_EVERY_MS = 60_000;
const REMEMBERED_KEYS = 1_000;
const REMEMBERED_LENGTH = 256;
/** Memory of a handler is 1.5 MB in the smallest tier. */
const BUCKETS = 1_000;
const READ_DEADLINE_MS = 2_000;

/** The platform has no timers: what it waits for ends by the deadlines of sub-requests. */
function never(): Promise<void> {
  return new Promise(() => {});
}

function log(line: LogLine): void {
  logger.log("%s", JSON.stringify(line));
}

/** See the module. */
export class Worker {
  readonly #node: EdgeNode;
  readonly #poller: Poller;
  readonly #reporter: Reporter;
  readonly #send: Send | undefined;
  readonly #notices: Notices;
  readonly #buckets = new KeyCache<string>(REMEMBERED_KEYS);
  /** When rates were last asked for. */
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(readonly settings: Settings) {
    const { node, namespace, group, edgeKvToken, ratesEveryMs, windowS, telemetryUrl, telemetryToken } = settings;
    this.#node = new EdgeNode(node, instanceName(), { mostBuckets: BUCKETS });
    const store = edgeKv(namespace, group, edgeKvToken);
    const times = { everyMs: ratesEveryMs, deadlineMs: READ_DEADLINE_MS };
    this.#poller = new Poller(times, { store, sleep: never, random: Math.random, now: Date.now });
    this.#reporter = new Reporter({ ...REPORT_BOUNDS, windowS, buckets: BUCKETS }, Math.random);
    this.#send = telemetryUrl === undefined ? undefined : telemetry(telemetryUrl, telemetryToken);
    this.#notices = new Notices((line) => log({ ...line, node }), NOTICE_EVERY_MS);
  }

  /** The bucket of an API key. */
  async bucketOf(apiKey: string): Promise<string> {
    const known = this.#buckets.get(apiKey);
    if (known !== undefined) return known;
    const bucket = await bucketOfKey(apiKey, (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    if (apiKey.length <= REMEMBERED_LENGTH) this.#buckets.set(apiKey, bucket);
    return bucket;
  }

  /** Decides a request. The first of an isolate waits for EdgeKV; a later one only if no answer has had the time to. */
  async decide(bucket: string): Promise<Decision> {
    const isOverdue = Date.now() > this.#askedMs + 3 * this.settings.ratesEveryMs;
    if (isOverdue && this.#poller.isDue(Date.now())) await this.#readRates();
    const now = Date.now();
    if (this.#node.epoch === undefined) this.#node.adopt(firstTable(this.#node.id, this.settings, now), now);
    this.#roll(now);
    const taken = this.#node.take(bucket, 1, now);
    const how = taken.refusal ?? (taken.guaranteed > 0 ? "guaranteed" : "borrowed");
    const decision = { bucket, isAdmitted: taken.admitted > 0, how, standing: this.#node.standing(bucket, now) } as const;
    this.#sample(decision);
    const rung = this.#node.rung(now);
    if (rung !== "step" && this.#node.epoch !== 0) this.#notices.note("rates_expired", now, { rung, epoch: this.#node.epoch });
    return decision;
  }

  /** Counts what became of an admitted request, and says where its bucket stands. */
  answered(bucket: string, status: number, bytes: number): Standing {
    this.#node.record(bucket, 0, status >= 500 ? 1 : 0, bytes);
    return this.#node.standing(bucket, Date.now());
  }

  /** Does what is due, at most one thing: sub-requests of one handler are few. */
  async catchUp(): Promise<void> {
    const now = Date.now();
    this.#roll(now);
    if (this.#poller.isDue(now)) return this.#readRates();
    if (this.#send === undefined || !this.#reporter.isDue(now)) return;
    const failure = await this.#reporter.flush(this.#send, Date.now);
    if (failure === undefined) return;
    const why = "error" in failure ? { reason: reason(failure.error) } : { status: failure.status };
    this.#notices.note("telemetry_refused", now, { ...why, waiting: this.#reporter.waiting, dropped: this.#reporter.dropped });
  }

  #roll(now: number): void {
    const rung = this.#node.rung(now) ?? "none";
    this.#reporter.roll(this.#node, now, { ...this.#notices.counts(), reports_dropped: this.#reporter.dropped, rung });
    if (this.#send === undefined) this.#reporter.discard();
  }

  async #readRates(): Promise<void> {
    this.#askedMs = Date.now();
    const outcome = await this.#poller.read(this.#node);
    if (outcome.kind === "failed") this.#notices.failed("rates_unreadable", outcome.error, Date.now());
    if (outcome.kind === "missing") this.#notices.note("rates_missing", Date.now());
  }

  #sample({ bucket, how, isAdmitted, standing }: Decision): void {
    if (Math.random() >= this.settings.logSample) return;
    const { remaining, refillMs } = standing;
    const refill = Number.isFinite(refillMs) ? refillMs : null;
    const { id: node, epoch } = this.#node;
    log({ event: "request", node, epoch, key: bucket, decision: how, admitted: isAdmitted, tokens_left: remaining, refill_ms: refill });
  }
}

/** A name of this isolate among those of the node. */
function instanceName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8)) as Uint8Array;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

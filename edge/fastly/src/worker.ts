/** A request in, an answer out. */

import { ConfigStore } from "fastly:config-store";
import { env } from "fastly:env";
import {
  bucketOfKey,
  challenge,
  EdgeNode,
  firstTable,
  keyMissing,
  Ladder,
  type Lease,
  type LogLine,
  Notices,
  originUnreachable,
  PROBLEM_JSON,
  quotaExceeded,
  type RateTable,
  REPORT_BOUNDS,
  Reporter,
  rateLimitFields,
  reason,
  retryAfterS,
} from "@tidegate/core";
import { type Decision, decide } from "./limit.ts";
import { type Outcome, outcomeLine } from "./outcome.ts";
import { counters, engine, kvStore, locationCache, outcomes, RESOURCES, sleep } from "./platform.ts";
import { Rates } from "./rates.ts";
import { type Settings, settings } from "./settings.ts";

/** What the handler needs of a fetch event. */
export interface RequestEvent {
  readonly request: Request;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What is known of a request once it is decided. */
type Decided = Pick<Outcome, "atMs" | "node" | "epoch" | "rung" | "bucket">;

const NOTICE_EVERY_MS = 60_000;

/** A sandbox: it may serve one request or many, and nothing depends on which. `log` writes one line. */
export class Sandbox {
  readonly #settings: Settings;
  readonly #rates: Rates;
  /** Counts, for the reports; the decisions are the location's. */
  readonly #node: EdgeNode;
  readonly #reporter: Reporter;
  readonly #notices: Notices;

  constructor(private readonly log: (line: LogLine) => void) {
    const config = new ConfigStore(RESOURCES.config);
    this.#settings = settings((key) => config.get(key), env("FASTLY_POP") ?? "");
    const { node, ratesEveryS } = this.#settings;
    this.#rates = new Rates(node, locationCache, kvStore(), ratesEveryS, sleep);
    // The instance is new with every sandbox: the engine knows reports by it and their number.
    this.#node = new EdgeNode(node, crypto.randomUUID());
    this.#reporter = new Reporter({ ...REPORT_BOUNDS, windowS: this.#settings.windowS }, Math.random);
    this.#notices = new Notices((line) => log({ ...line, node }), NOTICE_EVERY_MS);
  }

  /** Answers a request. */
  async handle({ request, waitUntil }: RequestEvent): Promise<Response> {
    const { apiKeyHeader } = this.#settings;
    const apiKey = request.headers.get(apiKeyHeader);
    if (!apiKey) return problem(401, keyMissing(apiKeyHeader), { "WWW-Authenticate": challenge(apiKeyHeader) });
    const bucket = await bucketOfKey(apiKey, (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    const table = await this.#table(waitUntil);
    const now = Date.now();
    if (table.epoch > (this.#node.epoch ?? -1)) this.#node.adopt(table, now);
    this.#reporter.roll(this.#node, now, this.#notices.counts());
    const lease = leaseOf(table, now);
    const decision = decide(bucket, lease, counters());
    this.#node.count(bucket, 1, decision.isAdmitted ? 0 : 1, now);
    this.#report(now, waitUntil);
    this.#sample(bucket, table.epoch, decision);
    const decided = { atMs: now, node: table.node, epoch: table.epoch, rung: lease.stage.at, bucket };
    if (decision.isAdmitted) return this.#forward(request, decided, decision);
    this.#tell({ ...decided, throttled: 1, errors: 0, bytes: 0 });
    const retryS = retryAfterS(decision.standing.retryMs, Math.random);
    const body = quotaExceeded(decision.how === "pool" ? "pool" : "ceiling", retryS);
    return problem(429, body, { ...rateLimitFields(decision.standing), "Retry-After": String(retryS) });
  }

  /** The table in force. Only a location without any waits for the store; else reading goes on behind the answer. */
  async #table(waitUntil: RequestEvent["waitUntil"]): Promise<RateTable> {
    const { node, coldWaitMs } = this.#settings;
    const held = await this.#rates.current();
    const isDue = await this.#rates.isDue();
    if (held !== undefined) {
      if (isDue) waitUntil(this.#refresh());
      return held;
    }
    const read = isDue ? await this.#refresh(coldWaitMs) : undefined;
    return read ?? firstTable(node, this.#settings, Date.now());
  }

  /** Reads the store. Whose turn that is also says when the lease has ended: all others would say the same. */
  async #refresh(deadlineMs?: number): Promise<RateTable | undefined> {
    try {
      const table = await this.#rates.refresh(deadlineMs);
      const now = Date.now();
      const { at: rung } = table === undefined ? { at: "step" } : new Ladder(table).stage(now);
      if (rung !== "step") this.#notices.note("rates_expired", now, { rung, epoch: table?.epoch });
      return table;
    } catch (error) {
      this.#notices.failed("rates_unreadable", error, Date.now());
      return undefined;
    }
  }

  async #forward(request: Request, decided: Decided, { standing }: Decision): Promise<Response> {
    try {
      const response = await fetch(request, { backend: RESOURCES.origin });
      const bytes = Number(response.headers.get("content-length") ?? 0) || 0;
      this.#served(decided, response.status >= 500 ? 1 : 0, bytes);
      const answer = new Response(response.body, response);
      for (const [name, value] of Object.entries(rateLimitFields(standing))) answer.headers.set(name, value);
      return answer;
    } catch (error) {
      this.#served(decided, 1, 0);
      this.#notices.failed("origin_unreachable", error, Date.now());
      return problem(502, originUnreachable());
    }
  }

  /** Counts what became of an admitted request. */
  #served(decided: Decided, errors: 0 | 1, bytes: number): void {
    this.#node.record(decided.bucket, 0, errors, bytes);
    this.#tell({ ...decided, throttled: 0, errors, bytes });
  }

  /** Writes what became of a request where the service counts by lines. */
  #tell(outcome: Outcome): void {
    if (this.#settings.report === "lines") outcomes()(outcomeLine(outcome));
  }

  #report(now: number, waitUntil: RequestEvent["waitUntil"]): void {
    if (this.#settings.report !== "windows") this.#reporter.discard();
    if (this.#reporter.isDue(now)) waitUntil(this.#flush());
  }

  async #flush(): Promise<void> {
    const failure = await this.#reporter.flush(engine(), Date.now);
    if (failure === undefined) return;
    const why = "error" in failure ? { reason: reason(failure.error) } : { status: failure.status };
    this.#notices.note("telemetry_refused", Date.now(), { ...why, dropped: this.#reporter.dropped });
  }

  #sample(key: string, epoch: number, { how, isAdmitted, standing }: Decision): void {
    const { node, logSample } = this.#settings;
    if (Math.random() >= logSample) return;
    const { remaining, refillMs } = standing;
    this.log({ event: "request", node, epoch, key, decision: how, admitted: isAdmitted, tokens_left: remaining, refill_ms: refillMs });
  }
}

/** The lease at `now`, for the whole location: its counters are shared, so no rate is divided. */
function leaseOf(table: RateTable, now: number): Lease {
  const whole = { ...table, instances: 1 };
  const ladder = new Ladder(whole);
  return { table: whole, ladder, stage: ladder.stage(now) };
}

function problem(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...headers, "content-type": PROBLEM_JSON, "cache-control": "no-store" } });
}

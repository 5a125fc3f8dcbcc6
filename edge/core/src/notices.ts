/** Says what goes wrong without flooding the log: each kind at most once per interval, with how often it came up meanwhile. */

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** Writes a line. */
export type Log = (line: LogLine) => void;

/** See the module. */
export class Notices {
  readonly #seen = new Map<string, { saidMs: number; count: number; unsaid: number }>();

  constructor(
    private readonly log: Log,
    private readonly everyMs: number,
  ) {}

  /** Notes an `event`; `details` must hold no secret and no API key. */
  note(event: string, nowMs: number, details: Readonly<Record<string, unknown>> = {}): void {
    const seen = this.#seen.get(event) ?? { saidMs: Number.NEGATIVE_INFINITY, count: 0, unsaid: 0 };
    this.#seen.set(event, seen);
    seen.count += 1;
    seen.unsaid += 1;
    if (nowMs >= seen.saidMs && nowMs < seen.saidMs + this.everyMs) return;
    this.log({ event, times: seen.unsaid, ...details });
    seen.saidMs = nowMs;
    seen.unsaid = 0;
  }

  /** {@link note} for something that was thrown. */
  failed(event: string, error: unknown, nowMs: number): void {
    this.note(event, nowMs, { reason: reason(error) });
  }

  /** How often each event came up since the start, for telemetry. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#seen].map(([event, { count }]) => [event, count]));
  }
}

/** An error as a log may show it. */
export function reason(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : String(error).slice(0, 300);
}

/**
 * Counts what sandboxes on Fastly's local runtime would have a location count: that runtime's own rate counters always say 0.
 *
 * `GET /?entry=a&entry=b` answers what was added to each entry in the last 1, 10, 20, … 60 seconds; `POST` with the same adds one to each.
 */

import { type Listening, listen } from "../loopback.ts";

/** Durations that can be asked for, in seconds. */
export const DURATIONS = [1, 10, 20, 30, 40, 50, 60] as const;

/** Times are counted in slots of so many milliseconds; one that a duration begins in counts whole. */
const SLOT_MS = 100;
const LONGEST_SLOTS = 60_000 / SLOT_MS;

/** What was added to entries, by time. */
export class Counts {
  readonly #slots = new Map<string, Map<number, number>>();

  add(entry: string, nowMs: number): void {
    const slots = this.#slots.get(entry) ?? new Map<number, number>();
    this.#slots.set(entry, slots);
    const slot = Math.floor(nowMs / SLOT_MS);
    slots.set(slot, (slots.get(slot) ?? 0) + 1);
    for (const old of slots.keys()) {
      if (old >= slot - LONGEST_SLOTS) break;
      slots.delete(old);
    }
  }

  /** What was added to `entry` in each of {@link DURATIONS} up to `nowMs`. */
  of(entry: string, nowMs: number): Record<number, number> {
    const slots = [...(this.#slots.get(entry) ?? [])];
    const within = (seconds: number) => {
      const first = Math.floor(nowMs / SLOT_MS) - (seconds * 1000) / SLOT_MS;
      return slots.reduce((sum, [slot, count]) => (slot >= first ? sum + count : sum), 0);
    };
    return Object.fromEntries(DURATIONS.map((seconds) => [seconds, within(seconds)]));
  }
}

/** Serves counts that begin at nothing. */
export function startCounters(): Promise<Listening> {
  const counts = new Counts();
  return listen((request, response) => {
    const entries = new URL(request.url ?? "/", "http://counters").searchParams.getAll("entry");
    const now = Date.now();
    if (request.method === "POST") for (const entry of entries) counts.add(entry, now);
    const answer = Object.fromEntries(entries.map((entry) => [entry, counts.of(entry, now)]));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
}

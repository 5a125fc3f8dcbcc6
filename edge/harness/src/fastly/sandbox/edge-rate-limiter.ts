/**
 * Stands for `fastly:edge-rate-limiter` in the harness's program: Fastly's local runtime has a stub that counts nothing. Counts are kept by a
 * server of the harness; they are fetched before a request is decided, because a look-up cannot wait.
 */

type Counted = Readonly<Record<string, Readonly<Record<number, number>>>>;

const BACKEND = "counters";

/** Counts of the request under way; a sandbox serves one at a time. */
let counted: Counted = {};
let added: string[] = [];

/** Fetches the counts of `entries` for the request that comes next. */
export async function prepare(entries: readonly string[]): Promise<void> {
  added = [];
  counted = await call("GET", entries);
}

/** Adds what the request added. */
export async function settle(): Promise<void> {
  if (added.length > 0) await call("POST", added);
}

async function call(method: string, entries: readonly string[]): Promise<Counted> {
  const query = new URLSearchParams(entries.map((entry) => ["entry", entry]));
  const response = await fetch(`http://counters/?${query}`, { method, backend: BACKEND });
  return (await response.json()) as Counted;
}

export class RateCounter {
  increment(entry: string, delta: number): void {
    for (let i = 0; i < delta; i += 1) added.push(entry);
  }

  lookupRate(entry: string, seconds: number): number {
    return this.lookupCount(entry, seconds) / seconds;
  }

  lookupCount(entry: string, seconds: number): number {
    return counted[entry]?.[seconds] ?? 0;
  }
}

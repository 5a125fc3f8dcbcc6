/** What a location holds, for the fakes: what all sandboxes share, and the clock that everything goes by. */

/** Entries of the cache, added counts, KV Store's answer, lines of log endpoints, configuration. A test sets and reads them. */
export const location = {
  nowMs: 0,
  cache: new Map<string, { text: string; untilMs: number }>(),
  counts: [] as { entry: string; atMs: number }[],
  kv: (_key: string): Promise<string | null> => Promise.resolve(null),
  logged: [] as { endpoint: string; line: string }[],
  config: new Map<string, string>(),
  secrets: new Map<string, string>(),
};

/** A location where nothing has happened yet. */
export function clear(nowMs: number): void {
  location.nowMs = nowMs;
  location.cache.clear();
  location.counts.length = 0;
  location.logged.length = 0;
  location.kv = () => Promise.resolve(null);
  location.config.clear();
  location.secrets.clear();
}

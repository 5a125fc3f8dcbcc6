/** Rate tables in Workers KV. */

import type { RateStore } from "@tidegate/core";

/** Most keys that one call of Workers KV reads. */
const KEYS_PER_READ = 100;

/** Reads from `kv`, which may answer from its location's cache for `cacheTtlS` seconds. */
export function ratesStore(kv: KVNamespace, cacheTtlS: number): RateStore {
  return async (keys) => {
    const values = new Map<string, string | null>();
    for (let from = 0; from < keys.length; from += KEYS_PER_READ) {
      const part = keys.slice(from, from + KEYS_PER_READ);
      for (const [key, value] of await kv.get(part, { type: "text", cacheTtl: cacheTtlS })) values.set(key, value);
    }
    return values;
  };
}

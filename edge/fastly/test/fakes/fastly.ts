/** The platform's modules, as far as the worker uses them. Unlike the real ones the counters are exact and at once. */

import { location } from "./location.ts";

export const CoreCache = {
  lookup(key: string) {
    const entry = location.cache.get(key);
    if (entry === undefined || entry.untilMs <= location.nowMs) return null;
    return { body: () => new Response(entry.text).body };
  },

  insert(key: string, { maxAge }: { maxAge: number }) {
    let written = "";
    return {
      append: (text: string) => {
        written += text;
      },
      close: () => void location.cache.set(key, { text: written, untilMs: location.nowMs + maxAge }),
    };
  },
};

export class RateCounter {
  increment(entry: string, delta: number): void {
    for (let i = 0; i < delta; i += 1) location.counts.push({ entry, atMs: location.nowMs });
  }

  lookupRate(entry: string, window: number): number {
    return this.lookupCount(entry, window) / window;
  }

  lookupCount(entry: string, duration: number): number {
    return location.counts.filter((c) => c.entry === entry && c.atMs > location.nowMs - duration * 1000).length;
  }
}

export class KVStore {
  async get(key: string) {
    const text = await location.kv(key);
    return text === null ? null : { text: async () => text };
  }
}

export class ConfigStore {
  get(key: string): string | null {
    return location.config.get(key) ?? null;
  }
}

export class SecretStore {
  async get(key: string) {
    const text = location.secrets.get(key);
    return text === undefined ? null : { plaintext: () => text };
  }
}

export function env(name: string): string | undefined {
  return name === "FASTLY_POP" ? "FRA" : undefined;
}

export class Logger {
  constructor(private readonly name: string) {}

  log(line: string): void {
    location.logged.push({ endpoint: this.name, line });
  }
}

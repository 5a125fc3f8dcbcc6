/** Rate tables in EdgeKV, read by sub-requests. */

import type { RateStore } from "@tidegate/core";
import { httpRequest } from "http-request";

const HOST = "https://edgekv.akamai-edge-svcs.net";
/** How long EdgeKV may take; the platform has no other clock to end a wait by. */
const DEADLINE_MS = 1_000;

/** EdgeKV answered with something else than a value. */
export class EdgeKvError extends Error {
  override readonly name = "EdgeKvError";
}

/** Reads items of `group` in `namespace` with an access token. Each key is a sub-request of its own. */
export function edgeKv(namespace: string, group: string, token: string): RateStore {
  const item = async (key: string): Promise<[string, string | null]> => {
    const url = `${HOST}/api/v1/namespaces/${namespace}/groups/${group}/items/${key}`;
    const response = await httpRequest(url, { method: "GET", headers: { "X-Akamai-EdgeDB-Auth": [token] }, timeout: DEADLINE_MS });
    if (response.status === 404) return [key, null];
    if (!response.ok) throw new EdgeKvError(`EdgeKV answered ${response.status} for ${key}`);
    return [key, await response.text()];
  };
  return async (keys) => {
    const values = new Map<string, string | null>();
    for (const key of keys) {
      const [name, value] = await item(key);
      values.set(name, value);
    }
    return values;
  };
}

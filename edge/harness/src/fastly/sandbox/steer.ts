/** Lets the harness read and write KV Store: `PUT` of pairs at `/.harness/kv`, `GET` and `DELETE` of `/.harness/kv/{key}`. */

import { KVStore } from "fastly:kv-store";
import { RESOURCES } from "@tidegate/fastly/platform";

interface Pair {
  readonly key: string;
  /** Base64. */
  readonly value: string;
  readonly ttl?: number;
}

const PATH = "/.harness/kv";

export function isSteering(request: Request): boolean {
  return new URL(request.url).pathname.startsWith(PATH);
}

export async function steer(request: Request): Promise<Response> {
  const store = new KVStore(RESOURCES.rates);
  const key = decodeURIComponent(new URL(request.url).pathname.slice(PATH.length + 1));
  if (request.method === "PUT") {
    for (const pair of (await request.json()) as Pair[]) await store.put(pair.key, bytesOf(pair.value), pair.ttl ? { ttl: pair.ttl } : {});
    return new Response(null, { status: 204 });
  }
  const entry = await store.get(key);
  if (entry === null) return new Response(null, { status: 404 });
  if (request.method !== "DELETE") return new Response(await entry.arrayBuffer());
  await store.delete(key);
  return new Response(null, { status: 204 });
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

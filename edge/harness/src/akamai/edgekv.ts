/**
 * EdgeKV: the path by which workers read items, and the part of the admin API that writes them, with the documented limits.
 *
 * Workers: `GET /api/v1/namespaces/{ns}/groups/{group}/items/{item}` with an access token. Admin API: `GET|PUT|DELETE
 * /edgekv/v1/networks/{net}/namespaces/{ns}/groups/{group}/items/{item}`, `GET …/groups/{group}` and `GET …/namespaces/{ns}`, with an
 * `Authorization` of EdgeGrid's form; whether it is signed well is not looked at. A write is shown to everyone when it is told to be; the real
 * one takes ten seconds and more.
 */

import type { IncomingMessage } from "node:http";
import { bodyOf, type Listening, listen } from "../loopback.ts";
import { type Show, shownAfter } from "../show.ts";

/** Takes all sub-requests to EdgeKV. */
export const EDGEKV_HOST = "edgekv.akamai-edge-svcs.net";
/** The one namespace and the one access token that there are. */
export const NAMESPACE = "tidegate";
export const ACCESS_TOKEN = "edgekv-token";

/** Calls of the admin API: so many in so many seconds. */
const CALLS = [
  { most: 24 * 5, seconds: 5 },
  { most: 18 * 120, seconds: 120 },
] as const;
const MOST_BYTES = 1_000_000;
const PART = "[A-Za-z0-9_-]";
const READ = new RegExp(`^/api/v1/namespaces/(${PART}{1,32})/groups/(${PART}{1,128})/items/(${PART}{1,512})$`);
const ADMIN = new RegExp(
  `^/edgekv/v1/networks/(staging|production)/namespaces/(${PART}{1,32})(?:/groups/(${PART}{1,128})(?:/items/(${PART}{1,512}))?)?$`,
);
const EDGEGRID =
  /^EG1-HMAC-SHA256 client_token=[^;]+;access_token=[^;]+;timestamp=\d{8}T\d\d:\d\d:\d\d\+0000;nonce=[^;]+;signature=[A-Za-z0-9+/=]+$/;

/** EdgeKV that listens. */
export interface EdgeKv extends Listening {
  /** Items that workers read, by group and name: `rates/tidegate-v1-rates-fra`. */
  readonly items: Map<string, string>;
  /** How workers are answered: "hang" for not at all, a number for that status. */
  readonly mode: { now: "serve" | "hang" | number };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type: string;
}

/** How EdgeKV runs. */
export interface EdgeKvOptions {
  /** The clock that calls are counted by, in milliseconds. */
  readonly now?: () => number;
  /** Milliseconds from when a write is acknowledged until it is shown. */
  readonly shownAfterMs?: number;
}

/** Starts EdgeKV without any item. */
export async function startEdgeKv({ now = Date.now, shownAfterMs = 0 }: EdgeKvOptions = {}): Promise<EdgeKv> {
  const networks = { production: new Map<string, string>(), staging: new Map<string, string>() };
  const mode: EdgeKv["mode"] = { now: "serve" };
  const admin = adminApi(networks, now, shownAfter(shownAfterMs));
  const server = await listen(async (request, response) => {
    const isAdmin = request.url?.startsWith("/edgekv/") ?? false;
    if (!isAdmin && mode.now === "hang") return;
    const reply = isAdmin ? admin(request, await bodyOf(request)) : read(request, networks.production, mode.now);
    response.writeHead(reply.status, { "content-type": reply.type }).end(reply.text);
  });
  return { ...server, items: networks.production, mode };
}

function read(request: IncomingMessage, items: ReadonlyMap<string, string>, mode: EdgeKv["mode"]["now"]): Reply {
  if (typeof mode === "number") return problem(mode, "EdgeKV is told to fail");
  const [, namespace, group, item] = READ.exec(request.url ?? "") ?? [];
  if (request.headers["x-akamai-edgedb-auth"] !== ACCESS_TOKEN || namespace !== NAMESPACE)
    return problem(401, "no access to this namespace");
  const value = items.get(`${group}/${item}`);
  return value === undefined ? problem(404, "no such item") : json(value);
}

function adminApi(networks: Readonly<Record<string, Map<string, string>>>, now: () => number, show: Show) {
  const calls: number[] = [];
  return (request: IncomingMessage, body: string): Reply => {
    if (!EDGEGRID.test(request.headers.authorization ?? "")) return problem(401, "the request is not signed as EdgeGrid has it");
    if (isTooOften(calls, now())) return problem(429, "too many calls");
    const [, network = "", namespace, group, item] = ADMIN.exec(request.url ?? "") ?? [];
    const items = networks[network];
    if (items === undefined || namespace !== NAMESPACE) return problem(404, `no such namespace: ${request.url}`);
    if (group === undefined)
      return request.method === "GET" ? json(JSON.stringify({ namespace })) : problem(405, "only GET is answered here");
    if (item === undefined) return listing(items, group);
    return answer(request.method ?? "", items, `${group}/${item}`, body, show);
  };
}

function isTooOften(calls: number[], now: number): boolean {
  const since = (seconds: number) => calls.filter((at) => at > now - seconds * 1000).length;
  while ((calls[0] ?? now) <= now - CALLS[1].seconds * 1000) calls.shift();
  if (CALLS.some(({ most, seconds }) => since(seconds) >= most)) return true;
  calls.push(now);
  return false;
}

function answer(method: string, items: Map<string, string>, key: string, body: string, show: Show): Reply {
  const value = items.get(key);
  if (method === "PUT") {
    if (Buffer.byteLength(body) > MOST_BYTES) return problem(413, "an item has at most 1 MB");
    show(() => items.set(key, body));
    return text(`${key} was written to ${NAMESPACE}`);
  }
  if (value === undefined) return problem(404, "no such item");
  if (method === "GET") return json(value);
  if (method !== "DELETE") return problem(405, "GET, PUT or DELETE");
  show(() => items.delete(key));
  return text(`${key} was marked for deletion from ${NAMESPACE}`);
}

function listing(items: ReadonlyMap<string, string>, group: string): Reply {
  const prefix = `${group}/`;
  const names = [...items.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  return names.length === 0 ? problem(404, "no such group") : json(JSON.stringify(names));
}

function json(body: string): Reply {
  return { status: 200, text: body, type: "application/json" };
}

function text(body: string): Reply {
  return { status: 200, text: body, type: "text/plain" };
}

function problem(status: number, detail: string): Reply {
  return {
    status,
    text: JSON.stringify({ status, title: "EdgeKV", detail, errorCode: `EKV_${status}` }),
    type: "application/problem+json",
  };
}

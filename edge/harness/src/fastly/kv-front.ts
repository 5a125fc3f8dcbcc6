/**
 * The part of Fastly's REST API that writes a KV Store, over the stores of nodes on the local runtime: each has one of its own, and all are
 * written.
 *
 * `GET /resources/stores/kv/{id}`, `GET|PUT|DELETE …/keys/{key}` and `PUT …/batch` with a line of JSON per pair; `Fastly-Key` is the token.
 */

import type { IncomingMessage } from "node:http";
import { bodyOf, type Listening, listen } from "../loopback.ts";
import { type Show, shownAfter } from "../show.ts";

/** The one store and the one token that there are. */
export const STORE = "loopback";
export const API_TOKEN = "loopback";

const PATH = /^\/resources\/stores\/kv\/([^/]+)(?:\/(batch|keys)(?:\/([^?]+))?)?(?:\?.*)?$/;
/** What KV Store does not take in a key. */
const ILLEGAL = /[\r\n#;?^|]/;
const MOST_KEY_BYTES = 1_024;
const MOST_VALUE_BYTES = 25 * 1024 * 1024;

interface Line {
  readonly key: string;
  readonly value: string;
  readonly time_to_live_sec?: number;
}

interface LineError {
  readonly key: string;
  readonly index: number;
  readonly code: string;
  readonly reason: string;
}

interface Front {
  readonly nodes: readonly string[];
  readonly show: Show;
}

interface Reply {
  readonly status: number;
  readonly body: Buffer | string;
}

/**
 * Serves the API over `nodes`, base URLs of steered programs; reads come from the first. What is written is shown `shownAfterMs`
 * after it is acknowledged.
 */
export function startKvFront(nodes: readonly string[], shownAfterMs = 0): Promise<Listening> {
  const front = { nodes, show: shownAfter(shownAfterMs) };
  return listen(async (request, response) => {
    const reply = await route(request, await bodyOf(request), front).catch((error: unknown) => problem(503, String(error)));
    response.writeHead(reply.status).end(reply.body);
  });
}

async function route(request: IncomingMessage, body: string, front: Front): Promise<Reply> {
  if (request.headers["fastly-key"] !== API_TOKEN) return problem(401, "Provided credentials are missing or invalid");
  const [, store, part = "", name = ""] = PATH.exec(request.url ?? "") ?? [];
  if (store !== STORE) return problem(404, `no such store: ${store}`);
  const key = decodeURIComponent(name);
  switch (`${request.method} ${part}`) {
    case "GET ":
      return { status: 200, body: JSON.stringify({ id: STORE, name: "tidegate-rates" }) };
    case "PUT batch":
      return batch(body, front);
    case "PUT keys":
      return put(key, body, front);
    case "GET keys":
      return pass(await call(front.nodes[0] ?? "", "GET", key));
    case "DELETE keys":
      await front.show(() => everywhere(front, "DELETE", key));
      return { status: 204, body: "" };
    default:
      return problem(405, `not answered here: ${request.method} ${request.url}`);
  }
}

async function batch(body: string, front: Front): Promise<Reply> {
  const lines = body.split("\n").filter((line) => line !== "");
  const read = lines.map(parse);
  const errors = read.filter((line): line is LineError => "reason" in line);
  const good = read.filter((line): line is Line => !("reason" in line));
  await write(good, front);
  const title = errors.length === 0 ? "success" : "some of the lines failed";
  return { status: errors.length === 0 ? 200 : 400, body: JSON.stringify({ type: "", title, errors }) };
}

async function put(key: string, body: string, front: Front): Promise<Reply> {
  const line = parse(JSON.stringify({ key, value: Buffer.from(body).toString("base64") }), 0);
  if ("reason" in line) return problem(400, line.reason);
  await write([line], front);
  return { status: 200, body: "" };
}

function parse(text: string, index: number): Line | LineError {
  const failed = (reason: string, key = ""): LineError => ({ key, index, code: "BAD_REQUEST", reason });
  let line: Partial<Line>;
  try {
    line = JSON.parse(text) ?? {};
  } catch {
    return failed("the line is not JSON");
  }
  const { key, value } = line;
  if (typeof key !== "string" || typeof value !== "string") return failed("a line has a key and a value, both text");
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > MOST_KEY_BYTES || ILLEGAL.test(key) || key === "." || key === "..") return failed("not a key", key);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return failed("the value is not base64", key);
  if (Buffer.byteLength(value, "base64") > MOST_VALUE_BYTES) return failed("a value has at most 25 MB", key);
  return line as Line;
}

async function write(lines: readonly Line[], front: Front): Promise<void> {
  const pairs = lines.map(({ key, value, time_to_live_sec: ttl }) => ({ key, value, ...(ttl === undefined ? {} : { ttl }) }));
  await front.show(() => everywhere(front, "PUT", "", JSON.stringify(pairs)));
}

async function everywhere({ nodes }: Front, method: string, key: string, body?: string): Promise<void> {
  const answers = await Promise.all(nodes.map((node) => call(node, method, key, body)));
  const failed = answers.find(({ ok, status }) => !ok && status !== 404);
  if (failed !== undefined) throw new Error(`a node answered ${failed.status}`);
}

function call(node: string, method: string, key: string, body?: string): Promise<Response> {
  const path = key === "" ? "/.harness/kv" : `/.harness/kv/${encodeURIComponent(key)}`;
  return fetch(new URL(path, node), { method, ...(body === undefined ? {} : { body }) });
}

async function pass(response: Response): Promise<Reply> {
  const body = Buffer.from(await response.arrayBuffer());
  return response.status === 404 ? problem(404, "no such key") : { status: response.ok ? 200 : 503, body };
}

function problem(status: number, detail: string): Reply {
  return { status, body: JSON.stringify({ title: "KV Store", status, detail }) };
}

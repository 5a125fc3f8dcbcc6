/**
 * The part of Cloudflare's REST API that writes Workers KV, over the namespaces of the same runtime, with the documented limits.
 *
 * `PUT …/bulk`, `POST …/bulk/delete`, `GET|PUT|DELETE …/values/{key}` and `GET …/keys` under
 * `/client/v4/accounts/{account}/storage/kv/namespaces/{namespace}`. What local KV does not enforce by itself is enforced here: the
 * token, 10,000 pairs a call, one write a second to each key, calls per five minutes, after which all are refused, and how long a write
 * takes to be shown.
 */

interface Env {
  /** The one token that is accepted. */
  readonly TOKEN: string;
  /** Calls that are taken in five minutes; Cloudflare's is 1,200. */
  readonly CALLS_PER_5_MINUTES: number;
  /** Milliseconds from when a write is acknowledged until a reader sees it; the real one's are up to a minute and more. */
  readonly SHOWN_AFTER_MS: number;
  /** Namespaces, each bound under its id. */
  readonly [namespace: string]: KVNamespace | string | number;
}

interface Pair {
  readonly key: string;
  readonly value: string;
  readonly base64?: boolean;
  readonly expiration?: number;
  readonly expiration_ttl?: number;
  readonly metadata?: unknown;
}

const PATH = /^\/client\/v4\/accounts\/[^/]+\/storage\/kv\/namespaces\/([^/]+)\/(bulk|bulk\/delete|keys|values\/(.+))$/;
const MOST_PAIRS = 10_000;
const MOST_BODY_BYTES = 100 * 1024 * 1024;
const WRITE_EVERY_MS = 1_000;
const BLOCK_MS = 300_000;
/** Writes to local KV under way at once; each has a file of its own. */
const AT_ONCE = 50;

class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** Does a write, now or once it shall be shown. */
type Show = (write: () => Promise<void>) => Promise<void>;

const written = new Map<string, number>();
const calls: number[] = [];
let blockedUntilMs = 0;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    try {
      checkToken(request, env);
      checkRate(env, Date.now());
      return await route(request, env, showing(env, ctx));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const headers =
        error.status === 429 ? { "retry-after": String(Math.ceil(Math.max(1_000, blockedUntilMs - Date.now()) / 1_000)) } : {};
      const errors = [{ code: error.code, message: error.message }];
      return Response.json({ success: false, errors, messages: [], result: null }, { status: error.status, headers });
    }
  },
};

function checkToken(request: Request, env: Env): void {
  if (request.headers.get("authorization") !== `Bearer ${env.TOKEN}`) throw new ApiError(401, 10_000, "Authentication error");
}

function checkRate(env: Env, now: number): void {
  if (now < blockedUntilMs) throw new ApiError(429, 971, "Please wait and consider throttling your request speed");
  while ((calls[0] ?? now) < now - BLOCK_MS) calls.shift();
  calls.push(now);
  if (calls.length <= env.CALLS_PER_5_MINUTES) return;
  blockedUntilMs = now + BLOCK_MS;
  throw new ApiError(429, 971, "Please wait and consider throttling your request speed");
}

function showing({ SHOWN_AFTER_MS: ms }: Env, ctx: ExecutionContext): Show {
  if (ms === 0) return (write) => write();
  return async (write) => ctx.waitUntil(scheduler.wait(ms).then(write));
}

async function route(request: Request, env: Env, show: Show): Promise<Response> {
  const url = new URL(request.url);
  const [, id = "", part = "", key = ""] = PATH.exec(url.pathname) ?? [];
  const namespace = env[id];
  if (typeof namespace !== "object") throw new ApiError(404, 10_013, `namespace not found: ${id}`);
  const name = decodeURIComponent(key);
  switch (`${request.method} ${part.split("/")[0]}`) {
    case "PUT bulk":
      return done(await putAll(namespace, id, await bodyOf<Pair[]>(request), show));
    case "POST bulk":
      return done(await deleteAll(namespace, await bodyOf<string[]>(request)));
    case "GET keys":
      return list(namespace, url.searchParams);
    case "GET values":
      return value(await namespace.get(name, "arrayBuffer"));
    case "PUT values":
      return done(await putOne(namespace, id, name, await request.arrayBuffer(), url.searchParams, show));
    case "DELETE values":
      return done(await namespace.delete(name));
    default:
      throw new ApiError(405, 10_405, `Method not allowed: ${request.method} ${url.pathname}`);
  }
}

function done(result: unknown): Response {
  return Response.json({ success: true, errors: [], messages: [], result: result ?? {} });
}

function value(bytes: ArrayBuffer | null): Response {
  if (bytes === null) throw new ApiError(404, 10_009, "get: 'key not found'");
  return new Response(bytes, { headers: { "content-type": "application/octet-stream" } });
}

async function list(namespace: KVNamespace, query: URLSearchParams): Promise<Response> {
  const [prefix, cursor] = [query.get("prefix"), query.get("cursor")];
  const page = await namespace.list({ ...(prefix === null ? {} : { prefix }), ...(cursor ? { cursor } : {}) });
  const next = page.list_complete ? "" : page.cursor;
  return Response.json({
    success: true,
    errors: [],
    messages: [],
    result: page.keys,
    result_info: { count: page.keys.length, cursor: next },
  });
}

async function bodyOf<T>(request: Request): Promise<T> {
  const text = await request.text();
  if (text.length > MOST_BODY_BYTES) throw new ApiError(413, 10_033, "request body too large: at most 100 MB");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(400, 10_026, "could not parse the body: a JSON array is expected");
  }
  if (!Array.isArray(body)) throw new ApiError(400, 10_026, "could not parse the body: a JSON array is expected");
  if (body.length > MOST_PAIRS) throw new ApiError(400, 10_029, `too many pairs: ${body.length}, at most ${MOST_PAIRS}`);
  return body as T;
}

async function putAll(namespace: KVNamespace, id: string, pairs: readonly Pair[], show: Show): Promise<unknown> {
  for (const pair of pairs) check(pair);
  const unsuccessful: string[] = [];
  for (let from = 0; from < pairs.length; from += AT_ONCE) {
    const part = pairs.slice(from, from + AT_ONCE);
    const kept = await Promise.all(part.map((pair) => put(namespace, id, pair, show)));
    unsuccessful.push(...part.filter((_, i) => !kept[i]).map(({ key }) => key));
  }
  return { successful_key_count: pairs.length - unsuccessful.length, unsuccessful_keys: unsuccessful };
}

/** `false` when the key was written less than a second ago. */
async function put(
  namespace: KVNamespace,
  id: string,
  { key, value, base64, expiration, expiration_ttl, metadata }: Pair,
  show: Show,
): Promise<boolean> {
  if (!mayWrite(`${id}/${key}`, Date.now())) return false;
  const bytes = base64 ? Uint8Array.from(atob(value), (character) => character.charCodeAt(0)) : value;
  const expiry = expiration_ttl === undefined ? { expiration } : { expirationTtl: expiration_ttl };
  await show(() => namespace.put(key, bytes as string, { ...(expiry as KVNamespacePutOptions), metadata }));
  return true;
}

async function putOne(
  namespace: KVNamespace,
  id: string,
  key: string,
  bytes: ArrayBuffer,
  query: URLSearchParams,
  show: Show,
): Promise<void> {
  const ttl = query.get("expiration_ttl");
  const expiry = ttl === null ? {} : { expiration_ttl: Number(ttl) };
  check({ key, value: "", ...expiry });
  if (!mayWrite(`${id}/${key}`, Date.now())) throw new ApiError(429, 10_048, "too many writes to this key: one a second");
  await show(() => namespace.put(key, bytes, ttl === null ? {} : { expirationTtl: Number(ttl) }));
}

function check({ key, value, expiration_ttl }: Pair): void {
  if (typeof key !== "string" || typeof value !== "string") throw new ApiError(400, 10_026, "each pair has a key and a value, both text");
  const bytes = new TextEncoder().encode(key).length;
  if (bytes === 0 || bytes > 512 || key === "." || key === "..") throw new ApiError(414, 10_031, `not a key: ${key.slice(0, 60)}`);
  if (expiration_ttl !== undefined && !(expiration_ttl >= 60)) throw new ApiError(400, 10_032, "expiration_ttl is at least 60");
}

function mayWrite(key: string, now: number): boolean {
  if (now - (written.get(key) ?? 0) < WRITE_EVERY_MS) return false;
  written.delete(key);
  written.set(key, now);
  // The oldest stand first.
  for (const [old, at] of written) {
    if (now - at < WRITE_EVERY_MS) break;
    written.delete(old);
  }
  return true;
}

async function deleteAll(namespace: KVNamespace, keys: readonly string[]): Promise<unknown> {
  await Promise.all(keys.map((key) => namespace.delete(key)));
  return { successful_key_count: keys.length, unsuccessful_keys: [] };
}

/**
 * What a limiter looks like that keeps its bucket in KV: one read and one write for every request. The other side of the
 * comparison; `AWAITED` says whether the answer waits for the write.
 */

interface Env {
  readonly STATE: KVNamespace;
  readonly ORIGIN_SERVICE: Fetcher;
  readonly AWAITED: boolean;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

const PER_S = 1e6;
const CAPACITY = 1e6;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const apiKey = request.headers.get("x-api-key");
    if (!apiKey) return new Response(null, { status: 401 });
    const name = `bucket:${apiKey}`;
    const now = Date.now();
    const { tokens, at } = (await env.STATE.get<Bucket>(name, "json")) ?? { tokens: CAPACITY, at: now };
    const held = Math.min(CAPACITY, tokens + ((now - at) / 1000) * PER_S);
    if (held < 1) return new Response(null, { status: 429 });
    const write = env.STATE.put(name, JSON.stringify({ tokens: held - 1, at: now }));
    if (env.AWAITED) await write;
    else ctx.waitUntil(write);
    return env.ORIGIN_SERVICE.fetch(request);
  },
};

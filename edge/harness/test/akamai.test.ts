import { tableKey } from "@tidegate/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { startEdgeKv } from "../src/akamai/edgekv.ts";
import { isolate } from "../src/akamai/isolate.ts";
import { startNode } from "../src/akamai/node.ts";
import { bodyOf, listen } from "../src/loopback.ts";
import { heldTable, statusesOf } from "./rig.ts";

/** A node in front of an origin that echoes, with the table of `tokens` in EdgeKV. */
async function property(tokens: number, variables: Record<string, string> = {}) {
  const kv = await startEdgeKv();
  onTestFinished(kv.stop);
  kv.items.set(`rates/${tableKey("dev")}`, JSON.stringify(heldTable(1, tokens)));
  const asked: string[] = [];
  const origin = await listen(async (request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["x-api-key"]}`);
    response.writeHead(request.url === "/bad" ? 503 : 200, { "content-type": "text/plain" }).end((await bodyOf(request)) || "hello");
  });
  onTestFinished(origin.stop);
  const lines: { event: string; reason?: string }[] = [];
  const onLog = (line: string) => void lines.push(JSON.parse(line));
  const restart = async () => {
    const node = await startNode({ node: "dev", origin: origin.url, edgeKv: kv.url, variables, onLog });
    onTestFinished(node.stop);
    return new URL(node.url);
  };
  return { asked, lines, url: await restart(), restart };
}

test("over HTTP: 401 without a key, 100 of 105 requests reach the origin, 5 are told when to come back", async () => {
  const { url, asked } = await property(100);
  expect((await fetch(url)).status).toBe(401);
  expect(await statusesOf(url, 105)).toEqual({ 200: 100, 429: 5 });
  expect(asked).toHaveLength(100);
  const refused = await fetch(url, { headers: { "x-api-key": "k1" } });
  expect([refused.status, refused.headers.get("content-type")]).toEqual([429, "application/problem+json"]);
  expect(refused.headers.get("Retry-After")).toMatch(/^\d+$/);
});

test("a request reaches the origin as it came, and its answer comes back with what is left", async () => {
  const { url, asked } = await property(100);
  const init = { method: "POST", headers: { "x-api-key": "k1" }, body: "a body" };
  const answer = await fetch(new URL("/items?x=1", url), init);
  expect([answer.status, await answer.text(), answer.headers.get("RateLimit")?.slice(0, 13)]).toEqual([200, "a body", '"bucket";r=99']);
  expect((await fetch(new URL("/bad", url), { headers: { "x-api-key": "k1" } })).status).toBe(503);
  expect(asked).toEqual(["POST /items?x=1 k1", "GET /bad k1"]);
});

test("a new isolate begins with a full bucket: nothing outlives it", async () => {
  const { url, restart } = await property(10);
  expect(await statusesOf(url, 12)).toEqual({ 200: 10, 429: 2 });
  expect(await statusesOf(await restart(), 12)).toEqual({ 200: 10, 429: 2 });
});

test("a handler that fails is a 500, and the log says why", async () => {
  const { url, lines } = await property(10, { NODE: "a/b" });
  expect(await statusesOf(url, 1)).toEqual({ 500: 1 });
  expect(lines).toEqual([expect.objectContaining({ event: "handler_failed", reason: expect.stringContaining("PMUSER_TIDEGATE_NODE") })]);
});

test("each handler has sub-requests of its own, and no more than the platform gives", async () => {
  const kv = await startEdgeKv();
  onTestFinished(kv.stop);
  const code = `
    import { httpRequest } from "http-request";
    export async function onClientRequest(request) {
      const calls = Array.from({ length: Number(request.getHeader("calls")[0]) }, () => httpRequest("https://kv.example.com/"));
      await Promise.all(calls);
    }
    export async function onClientResponse() {}`;
  const { send } = await isolate(code, { hosts: { "kv.example.com": kv.url } });
  const passes = (calls: number) => send({ calls: [String(calls)] }, async () => ({ status: 200, headers: {}, body: "" }));
  expect((await Promise.all([passes(2), passes(2), passes(2)])).map(({ status }) => status)).toEqual([200, 200, 200]);
  await expect(passes(3)).rejects.toThrow("too many sub-requests");
});

test("a handler that does not end is ended", async () => {
  const code = "export const onClientRequest = () => new Promise(() => {}); export const onClientResponse = () => {};";
  const { send } = await isolate(code, { hosts: {} });
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const outcome = expect(send({}, () => Promise.reject(new Error("never asked")))).rejects.toThrow(
    "onClientRequest took more than 4000 ms",
  );
  await vi.advanceTimersByTimeAsync(4_000);
  await outcome;
});

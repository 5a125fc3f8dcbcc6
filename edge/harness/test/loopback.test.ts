import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { folder, publish, running, statuses } from "./rig.ts";

interface Report {
  readonly node: string;
  readonly instance: string;
  readonly sequence: number;
  readonly epoch?: number;
  readonly buckets: readonly { readonly bucket: string; readonly requests: number; readonly throttled: number; readonly errors: number }[];
}

/** An origin that fails under `/bad`, and an engine, on one port of the loopback. */
async function outside() {
  const asked: { path: string; key: string | undefined }[] = [];
  const reports: Report[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/v1/telemetry") {
        reports.push(...(JSON.parse(Buffer.concat(chunks).toString()) as { reports: Report[] }).reports);
        response.writeHead(202, { "content-type": "application/json" }).end('{"accepted":1,"duplicates":0,"rejected":[]}');
        return;
      }
      asked.push({ path: request.url ?? "", key: request.headers["x-api-key"] as string | undefined });
      response.writeHead(request.url?.startsWith("/base/bad") ? 503 : 200).end("hello");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { asked, reports, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("over HTTP: admitted requests reach the origin, refused ones do not, and the counts of both reach the engine", async () => {
  const { asked, reports, url } = await outside();
  const runtime = await running({
    persist: folder(),
    origin: `${url}/base/`,
    vars: { TELEMETRY_URL: url, TELEMETRY_TOKEN: "t", WINDOW_S: "1" },
  });
  await publish(runtime, 7, 20);
  expect(await statuses(runtime, 19)).toEqual({ 200: 19 });
  const bad = await fetch(new URL("/bad?x=1", runtime.edge), { headers: { "x-api-key": "k1" } });
  expect([bad.status, await bad.text(), bad.headers.get("RateLimit")?.slice(0, 12)]).toEqual([503, "hello", '"bucket";r=0']);
  expect(await statuses(runtime, 5)).toEqual({ 429: 5 });
  expect([asked.length, asked.at(-1)]).toEqual([20, { path: "/base/bad?x=1", key: "k1" }]);

  const sum = (what: "requests" | "throttled" | "errors") => reports.flatMap((r) => r.buckets).reduce((total, b) => total + b[what], 0);
  await vi.waitUntil(() => sum("requests") === 25, { timeout: 60_000, interval: 50 });
  expect([sum("throttled"), sum("errors")]).toEqual([5, 1]);
  expect(new Set(reports.map((r) => `${r.node} ${r.instance} ${r.epoch}`)).size).toBe(1);
  expect(reports.map((r) => r.sequence)).toEqual(reports.map((_, i) => i + 1));
});

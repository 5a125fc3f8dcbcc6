/**
 * Takes the lines of the log endpoint `tidegate-outcomes` and reports windows to the engine: `npm run collect -w @tidegate/fastly`.
 *
 * Fastly's HTTPS log streaming posts lines, and asks at `/.well-known/fastly/logging/challenge` whether it may. From the environment:
 * ENGINE_URL; NODE_TOKENS, a file with a JSON object of nodes' tokens; LINES_TOKEN, which Fastly has to send as `Authorization: Bearer`;
 * LISTEN_PORT (8089), WINDOW_S (30) and GRACE_S (5), which the engine's `ingest.grace_s` has to exceed.
 */

import { randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Collector, engineAt } from "./collector.ts";

const { ENGINE_URL, NODE_TOKENS, LINES_TOKEN, LISTEN_PORT = "8089", WINDOW_S = "30", GRACE_S = "5" } = process.env;
if (!ENGINE_URL || !LINES_TOKEN) throw new Error("set ENGINE_URL to the engine's URL and LINES_TOKEN to the token that Fastly sends");

const tokens: Record<string, string> = NODE_TOKENS ? JSON.parse(readFileSync(NODE_TOKENS, "utf8")) : {};
const collector = new Collector({
  windowS: Number(WINDOW_S),
  graceMs: Number(GRACE_S) * 1000,
  instance: randomUUID(),
  sender: (node) => engineAt(ENGINE_URL, tokens[node]),
});

function isAllowed(request: IncomingMessage): boolean {
  const [given, wanted] = [request.headers.authorization ?? "", `Bearer ${LINES_TOKEN}`].map((text) => Buffer.from(text));
  return given?.length === wanted?.length && timingSafeEqual(given as Buffer, wanted as Buffer);
}

createServer(async (request, response) => {
  if (request.url === "/.well-known/fastly/logging/challenge") return response.end("*\n");
  if (request.method !== "POST" || !isAllowed(request)) return response.writeHead(request.method === "POST" ? 401 : 405).end();
  let unread = 0;
  for await (const line of createInterface(request)) if (line !== "" && !collector.take(line, Date.now())) unread += 1;
  if (unread > 0) console.log(JSON.stringify({ event: "lines_unreadable", lines: unread }));
  return response.writeHead(204).end();
}).listen(Number(LISTEN_PORT), () => console.log(JSON.stringify({ event: "listening", port: Number(LISTEN_PORT) })));

setInterval(() => void collector.flush(Date.now), 1_000);

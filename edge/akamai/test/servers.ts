/** EdgeKV and the engine, on the loopback. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** The token that EdgeKV takes. */
export const TOKEN = "edgekv-token";

/** Base URL of a server that answers as `handler` says, until the test is over. */
async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** EdgeKV with `items` of one group; "hang" makes it answer nothing, a number with that status. */
export async function edgeKv(items: Map<string, string>) {
  const mode = { now: "serve" as "serve" | "hang" | number };
  const server = createServer((request, response) => {
    if (mode.now === "hang") return;
    const name = /^\/api\/v1\/namespaces\/tidegate\/groups\/rates\/items\/([A-Za-z0-9_-]{1,512})$/.exec(request.url ?? "")?.[1];
    const value = name === undefined ? undefined : items.get(name);
    if (mode.now !== "serve") response.writeHead(mode.now).end();
    else if (request.headers["x-akamai-edgedb-auth"] !== TOKEN) response.writeHead(401).end();
    else if (value === undefined) response.writeHead(404).end('{"status":404}');
    else response.writeHead(200, { "content-type": "application/json" }).end(value);
  });
  return { mode, url: await listening(server) };
}

/** An engine that keeps what is reported to it, and answers with `status.now`. */
export async function engine() {
  const status = { now: 202 };
  const bodies: { reports: Record<string, unknown>[] }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      bodies.push(JSON.parse(text));
      response.writeHead(status.now, { "content-type": "application/json" }).end('{"accepted":1,"duplicates":0,"rejected":[]}');
    });
  });
  return { status, bodies, url: await listening(server) };
}

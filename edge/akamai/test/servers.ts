/** The engine and EdgeKV, until the test is over. */

import { type EdgeKv, startEdgeKv } from "@tidegate/harness/akamai/edgekv";
import { bodyOf, listen } from "@tidegate/harness/loopback";
import { onTestFinished } from "vitest";

/** EdgeKV with `items` of the group `rates`. */
export async function edgeKv(items: Iterable<readonly [string, string]>): Promise<EdgeKv> {
  const kv = await startEdgeKv();
  onTestFinished(kv.stop);
  for (const [name, value] of items) kv.items.set(`rates/${name}`, value);
  return kv;
}

/** An engine that keeps what is reported to it, and answers with `status.now`. */
export async function engine() {
  const status = { now: 202 };
  const bodies: { reports: Record<string, unknown>[] }[] = [];
  const { url, stop } = await listen(async (request, response) => {
    bodies.push(JSON.parse(await bodyOf(request)));
    response.writeHead(status.now, { "content-type": "application/json" }).end('{"accepted":1,"duplicates":0,"rejected":[]}');
  });
  onTestFinished(stop);
  return { status, bodies, url };
}

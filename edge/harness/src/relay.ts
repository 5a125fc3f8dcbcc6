/** Stands between workers and engine: passes telemetry on, and keeps a copy. It outlives an engine that is killed and started anew. */

import type { Report } from "@tidegate/core";
import { bodyOf, type Listening, listen } from "./loopback.ts";

/** A relay that listens. */
export interface Relay extends Listening {
  /** Every report that came, also those that no engine took. */
  readonly reports: readonly Report[];
  /** Passes on to the engine at `url` from now on; without one, telemetry is answered 503. */
  readonly lead: (url: string | undefined) => void;
}

/** Starts a relay on a free port. */
export async function startRelay(): Promise<Relay> {
  const reports: Report[] = [];
  let engine: string | undefined;
  const server = await listen(async (request, response) => {
    const body = await bodyOf(request);
    reports.push(...(JSON.parse(body) as { reports: Report[] }).reports);
    const answer = await pass(engine, request.url ?? "/", body);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.text);
  });
  return {
    ...server,
    reports,
    lead: (url) => {
      engine = url;
    },
  };
}

async function pass(engine: string | undefined, path: string, body: string): Promise<{ status: number; text: string }> {
  const away = { status: 503, text: "{}" };
  if (engine === undefined) return away;
  try {
    const response = await fetch(new URL(path, engine), { method: "POST", headers: { "content-type": "application/json" }, body });
    return { status: response.status, text: await response.text() };
  } catch {
    return away;
  }
}

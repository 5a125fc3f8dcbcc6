/** Reports to the engine: `POST /v1/telemetry`. */

import type { Send } from "@tidegate/core";

/** How long the engine may take to make a batch durable. */
const DEADLINE_MS = 10_000;

/** Posts to `base`/v1/telemetry with the node's token. */
export function telemetry(base: string, token: string | undefined): Send {
  const url = new URL("/v1/telemetry", base);
  return async (reports) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ version: 1, reports }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const retryAfterS = Number(response.headers.get("retry-after") ?? 0);
    const answer: unknown = response.ok ? await response.json().catch(() => undefined) : await response.body?.cancel();
    return { status: response.status, retryAfterS: retryAfterS > 0 ? retryAfterS : 0, rejected: rejectedIn(answer) };
  };
}

function rejectedIn(answer: unknown): number {
  const { rejected } = (answer ?? {}) as { rejected?: unknown };
  return Array.isArray(rejected) ? rejected.length : 0;
}

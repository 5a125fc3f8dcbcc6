/** What `http-request` does: HTTPS to hosts that the platform serves, on no other port, for no longer than it may. */

import { request as httpCall } from "node:http";

/** Options of `httpRequest`. */
export interface SubRequest {
  readonly method?: string;
  readonly headers?: Record<string, string[]>;
  readonly body?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** The platform's own, where the worker sets none. */
const TIMEOUT_MS = 5_000;

/** Calls `url` at the server that stands for its host in `hosts`. */
export function subRequest(url: string, options: SubRequest, hosts: Readonly<Record<string, string>>) {
  const target = new URL(url);
  const base = hosts[target.host];
  if (target.protocol !== "https:" || target.port !== "" || base === undefined) {
    return Promise.reject(new Error(`${url} is not served through the platform`));
  }
  const { method = "GET", headers = {}, body, timeout = TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const call = httpCall(new URL(target.pathname + target.search, base), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      const status = response.statusCode ?? 0;
      response.on("end", () => resolve({ status, ok: status >= 200 && status < 300, text: async () => text }));
    });
    call.setTimeout(timeout, () => call.destroy(new Error("the sub-request timed out")));
    call.on("error", reject);
    call.end(body);
  });
}

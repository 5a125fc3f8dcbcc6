/** The isolate behind HTTP, as a property of Akamai has it: what the worker lets pass goes to the origin. */

import { request as httpCall, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { type Listening, listen } from "../loopback.ts";
import type { Answer, Headers, Isolate } from "./isolate.ts";

/** Fields that belong to one connection and are not passed on. */
const OF_A_CONNECTION = ["connection", "keep-alive", "transfer-encoding", "upgrade", "host"];

/**
 * Serves requests through `worker` in front of `origin`, a base URL. A handler that fails is answered 500, as where a property does not
 * continue on error; `onFailure` gets why.
 */
export function serve(worker: Isolate, origin: string, onFailure: (error: unknown) => void, port = 0): Promise<Listening> {
  return listen(async (request, response) => {
    try {
      await pass(worker, request, response, origin);
    } catch (error) {
      onFailure(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }, port);
}

async function pass(worker: Isolate, request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
  const answer = await worker.send(lists(request.headers), () => forward(request, origin));
  response.writeHead(answer.status, answer.headers);
  if (typeof answer.body === "string") {
    // A body that nobody reads would keep the connection from its next request.
    request.resume();
    response.end(answer.body);
    return;
  }
  answer.body.pipe(response);
}

function forward(request: IncomingMessage, origin: string): Promise<Answer<IncomingMessage>> {
  const { method = "GET", url = "/" } = request;
  return new Promise((resolve) => {
    const call = httpCall(new URL(url, origin), { method, headers: lists(request.headers) }, (response) =>
      resolve({ status: response.statusCode ?? 502, headers: lists(response.headers), body: response }),
    );
    call.on("error", () => resolve({ status: 502, headers: {}, body: "the origin cannot be reached" }));
    request.pipe(call);
  });
}

function lists(fields: IncomingHttpHeaders): Headers {
  const kept = Object.entries(fields).filter(([name]) => !OF_A_CONNECTION.includes(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, Array.isArray(value) ? value : [value ?? ""]]));
}

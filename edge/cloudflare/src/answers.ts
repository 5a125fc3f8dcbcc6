/** What the worker answers by itself, and what it adds to the origin's answers. */

import {
  challenge,
  keyMissing,
  originUnreachable,
  PROBLEM_JSON,
  quotaExceeded,
  type Random,
  type Refusal,
  rateLimitFields,
  retryAfterS,
  type Standing,
} from "@tidegate/core";

/** 401: the request has no API key. */
export function unauthorized(header: string): Response {
  return problem(401, keyMissing(header), { "WWW-Authenticate": challenge(header) });
}

/** 429: over the limit. */
export function tooManyRequests(refusal: Refusal, standing: Standing, random: Random): Response {
  const retryS = retryAfterS(standing.retryMs, random);
  return problem(429, quotaExceeded(refusal, retryS), { ...rateLimitFields(standing), "Retry-After": String(retryS) });
}

/** 502: the origin cannot be reached. */
export function badGateway(): Response {
  return problem(502, originUnreachable());
}

/** The origin's answer with the fields of the limit. */
export function withLimit(response: Response, standing: Standing): Response {
  // A switched protocol has no headers left to add to.
  if (response.status === 101) return response;
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(rateLimitFields(standing))) answer.headers.set(name, value);
  return answer;
}

function problem(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...headers, "content-type": PROBLEM_JSON, "cache-control": "no-store" } });
}

/**
 * What an answer says about limits: `RateLimit` and `RateLimit-Policy` as structured fields
 * (draft-ietf-httpapi-ratelimit-headers), `Retry-After`, and the problem document of a refusal (RFC 9457).
 */

import { jittered, type Random } from "./backoff.ts";
import type { Standing } from "./standing.ts";
import type { Refusal } from "./two-level.ts";

/** Name of the one policy that a client is told: that of its own bucket. */
export const POLICY = "bucket";

/** Media type of a problem document. */
export const PROBLEM_JSON = "application/problem+json";

/** Longest `Retry-After`, in seconds: rates change sooner than that. */
const LONGEST_RETRY_S = 60;
/** Largest integer of a structured field (RFC 9651, section 3.3.1). */
const INTEGER_MAX = 999_999_999_999_999;

/** The two fields that every decided answer carries. */
export function rateLimitFields(standing: Standing): Record<string, string> {
  const { quota, windowS, remaining, retryMs, refillMs } = standing;
  const window = Number.isFinite(windowS) ? `;w=${integer(windowS)}` : "";
  const waitMs = remaining > 0 ? refillMs : retryMs;
  const wait = Number.isFinite(waitMs) ? `;t=${integer(Math.ceil(waitMs / 1000))}` : "";
  return {
    "RateLimit-Policy": `"${POLICY}";q=${integer(quota)}${window}`,
    RateLimit: `"${POLICY}";r=${integer(remaining)}${wait}`,
  };
}

/**
 * Seconds after which a refused client may come back: never before a request would pass, and spread by up to half as much
 * again, at least a second, so that clients which were refused together do not return together.
 */
export function retryAfterS(retryMs: number, random: Random): number {
  const soonest = Math.max(1, Math.min(LONGEST_RETRY_S, Math.ceil(retryMs / 1000)));
  const spread = Math.max(1, soonest / 2);
  return soonest + Math.round(jittered(spread / 2, 1, random));
}

/** The body of a refusal by the limiter. */
export function quotaExceeded(refusal: Refusal, retryS: number): string {
  const why = refusal === "ceiling" ? "This key has used its quota" : "The capacity that all keys share is used up";
  return problem({
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    status: 429,
    detail: `${why}; try again in ${retryS} s.`,
    "violated-policies": [POLICY],
  });
}

/** `WWW-Authenticate` of a refusal for want of an API key, which RFC 9110 asks of every 401. No scheme is registered for API keys. */
export function challenge(header: string): string {
  return `ApiKey header="${header}"`;
}

/** The body of a refusal for want of an API key in the header of that name. */
export function keyMissing(header: string): string {
  return problem({
    type: "about:blank",
    title: "Unauthorized",
    status: 401,
    detail: `Send your API key in the header ${header}.`,
  });
}

/** The body of an answer for an origin that cannot be reached. */
export function originUnreachable(): string {
  return problem({ type: "about:blank", title: "Bad Gateway", status: 502, detail: "The origin cannot be reached; try again later." });
}

function problem(document: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(document);
}

function integer(n: number): number {
  return Math.max(0, Math.min(INTEGER_MAX, Math.floor(n)));
}

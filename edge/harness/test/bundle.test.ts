import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle, WORKERS } from "../src/bundle.ts";

/** Largest worker of Cloudflare's free plan, compressed; ours stays below it uncompressed. */
const MOST_BYTES = 3 * 1024 * 1024;

test("the worker for Cloudflare is small and needs nothing but the platform", async () => {
  const { script, imports } = await bundle(WORKERS.cloudflare);
  expect(Buffer.byteLength(script)).toBeLessThan(MOST_BYTES);
  expect(gzipSync(script).length).toBeLessThan(100_000);
  expect(imports).toEqual(["cloudflare:workers"]);
});

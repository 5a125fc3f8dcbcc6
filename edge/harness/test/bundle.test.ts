import { execFileSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle, edge, WORKERS } from "../src/bundle.ts";
import { folder } from "./rig.ts";

/** Largest worker of Cloudflare's free plan, compressed; ours stays below it uncompressed. */
const MOST_BYTES = 3 * 1024 * 1024;

test("the worker for Cloudflare is small and needs nothing but the platform", async () => {
  const { script, imports } = await bundle(WORKERS.cloudflare);
  expect(Buffer.byteLength(script)).toBeLessThan(MOST_BYTES);
  expect(gzipSync(script).length).toBeLessThan(100_000);
  expect(imports).toEqual(["cloudflare:workers"]);
});

test("the worker for Fastly compiles to a program, which starts while it is built", async () => {
  const { script, imports } = await bundle(WORKERS.fastly);
  expect(imports.every((name) => name.startsWith("fastly:"))).toBe(true);
  const [source, program] = ["main.js", "main.wasm"].map((name) => join(folder(), name)) as [string, string];
  writeFileSync(source, script);
  execFileSync(join(edge(), "node_modules/.bin/js-compute-runtime"), [source, program], { cwd: edge() });
  expect(statSync(program).size).toBeLessThan(100 * 1024 * 1024);
});

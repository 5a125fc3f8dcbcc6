/** Programs for Fastly Compute, built as a deployment builds them. */

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle, edge, type Replacements, WORKERS } from "../bundle.ts";

/** The two programs: what is deployed, and the same `Sandbox` with counters that count and a way to write KV Store. */
export type Program = "shipped" | "steered";

const REPLACED: Replacements = { "fastly:edge-rate-limiter": "harness/src/fastly/sandbox/edge-rate-limiter.ts" };

/** Builds `program` in `folder` and returns its path. */
export async function build(program: Program, folder: string): Promise<string> {
  const { script } = program === "shipped" ? await bundle(WORKERS.fastly) : await bundle(WORKERS.fastlySteered, REPLACED);
  return compile(script, join(folder, program));
}

/** Compiles a script to `path`.wasm and returns that path. */
export async function compile(script: string, path: string): Promise<string> {
  writeFileSync(`${path}.js`, script);
  const compiler = join(edge(), "node_modules/.bin/js-compute-runtime");
  await promisify(execFile)(compiler, [`${path}.js`, `${path}.wasm`], { cwd: edge() });
  return `${path}.wasm`;
}

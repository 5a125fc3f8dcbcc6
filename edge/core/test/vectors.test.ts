/** The vectors of `contracts/vectors`, and thousands that the Rust implementation makes for this run. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Ladder, parseTable, rateOn } from "../src/index.ts";
import { type BucketCase, type NodeCase, replayBucket, replayNode, replayTwoLevel, type TwoLevelCase } from "./replay.ts";

const ROOT = new URL("../../../", import.meta.url);
const SEED = process.env.TIDEGATE_VECTOR_SEED ?? "1";
const CASES = 6000;

function kept<T>(file: string): (T & { name: string })[] {
  return JSON.parse(readFileSync(new URL(`contracts/vectors/${file}`, ROOT), "utf8"));
}

test.each(kept<BucketCase>("token-bucket.json"))("the bucket passes $name", (c) => {
  expect(replayBucket(c)).toBeUndefined();
});

test.each(kept<TwoLevelCase>("two-level.json"))("the two-level take passes $name", (c) => {
  expect(replayTwoLevel(c)).toBeUndefined();
});

interface LadderCase {
  table: unknown;
  rates: { at: string; pool_per_s: number; buckets: Record<string, number> }[];
}

test.each(kept<LadderCase>("ladder.json"))("the ladder passes $name", ({ table: json, rates }) => {
  const table = parseTable(JSON.stringify(json));
  const ladder = new Ladder(table);
  const held = rates.map(({ at }) => {
    const stage = ladder.stage(Date.parse(at));
    const buckets = [...table.buckets].map(([id, b]) => [id, rateOn(stage, b.refillPerS, b.safePerS)]);
    return { at, pool_per_s: rateOn(stage, table.pool.refillPerS, table.pool.safePerS), buckets: Object.fromEntries(buckets) };
  });
  expect(held).toEqual(rates);
});

type Generated = { kind: "bucket" | "two_level" | "node" };
const REPLAY = {
  bucket: (c: Generated) => replayBucket(c as unknown as BucketCase),
  two_level: (c: Generated) => replayTwoLevel(c as unknown as TwoLevelCase),
  node: (c: Generated) => replayNode(c as unknown as NodeCase),
};

test(`Rust and TypeScript agree on ${CASES} generated cases of seed ${SEED}`, { timeout: 600_000 }, () => {
  const args = ["run", "--quiet", "--locked", "-p", "tidegate-edge-node", "--example", "vectors", "--", SEED, String(CASES)];
  const lines = execFileSync("cargo", args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 })
    .trimEnd()
    .split("\n");
  expect(lines).toHaveLength(CASES);
  for (const [i, line] of lines.entries()) {
    const c = JSON.parse(line) as Generated;
    expect(REPLAY[c.kind](c), `case ${i}, a ${c.kind}`).toBeUndefined();
  }
});

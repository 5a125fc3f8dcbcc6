import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeNode, parseTable, type RateStore, RefusedTable, readTable, tableKey, VALUE_MAX } from "../src/index.ts";
import { T0, tableJson, tableText } from "./tables.ts";

function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof RefusedTable) return error.reason;
    throw error;
  }
}

const rates = (change: Record<string, unknown>) => ({ ...(tableJson(1).default as object), ...change });

test.each([
  ["version", { version: 2 }],
  ["version", { version: "1" }],
  ["number", { instances: 0 }],
  ["number", { step_s: 0 }],
  ["number", { epoch: -1 }],
  ["number", { epoch: 2 ** 60 }],
  ["number", { expires_at: "2026-11-21T19:59:59Z" }],
  ["shape", { issued_at: "yesterday" }],
  ["shape", { issued_at: 17 }],
  ["shape", { mode: "maybe" }],
  ["shape", { pool: null }],
  ["shape", { buckets: [] }],
  ["number", { pool: { refill_per_s: [1, null], capacity: 1 } }],
  ["number", { default: rates({ ceiling_per_s: -1 }) }],
  ["number", { buckets: { "key:a": rates({ safe_per_s: "2" }) } }],
  ["number", { default: rates({ must_leave: -1 }) }],
  ["number", { default: rates({ must_leave: null }) }],
  ["number", { buckets: { "key:a": rates({ must_leave: "12" }) } }],
  ["shape", { buckets: { "key:a": rates({ refill_per_s: 4 }) } }],
  ["bucket", { buckets: { ä: rates({}) } }],
  ["shape", { shards: "elsewhere" }],
])("a table is refused for its %s: %j", (reason, change) => {
  expect(refusal(() => parseTable(tableText(1, change)))).toBe(reason);
});

test("a number that cannot be enforced is named, and one that is infinite is none", () => {
  const text = tableText(1, { buckets: { "key:a": rates({ must_leave: 7 }) } });
  expect(() => parseTable(text.replace('"must_leave":7', '"must_leave":1e999'))).toThrow("buckets.key:a.must_leave");
});

test("a table cut short at any character is refused, and so is one too long to be read", () => {
  const text = tableText(1);
  for (let end = 0; end < text.length; end += 1) expect(refusal(() => parseTable(text.slice(0, end)))).toBe("json");
  expect(refusal(() => parseTable(text + " ".repeat(VALUE_MAX)))).toBe("oversized");
  expect(parseTable(text).epoch).toBe(1);
});

test("a table with any one value put in the place of another is read or refused, and never enforced as something else", () => {
  const paths = ["version", "epoch", "step_s", "issued_at", "mode", "instances", "pool", "default", "buckets", "shards"];
  const property = fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
    const node = new EdgeNode("n");
    const reason = refusal(() => node.adopt(parseTable(tableText(3, { [path]: value })), T0));
    if (reason !== undefined) expect(node.epoch).toBeUndefined();
    const { admitted, throttled } = node.take("key:b", 10, T0 + 1000);
    expect(admitted + throttled).toBe(10);
    expect(Number.isFinite(node.tokens(T0 + 1e9))).toBe(true);
  });
  fc.assert(property, { numRuns: 500 });
});

test("a table of another node, an older epoch or unread shards changes nothing", () => {
  const node = new EdgeNode("n");
  node.adopt(parseTable(tableText(7)), T0);
  expect(refusal(() => node.adopt(parseTable(tableText(8, { node: "m" })), T0))).toBe("node");
  expect(refusal(() => node.adopt(parseTable(tableText(6)), T0))).toBe("epoch");
  expect(refusal(() => node.adopt(parseTable(tableText(8, { shards: ["x"] })), T0))).toBe("torn");
  expect(node.adopt(parseTable(tableText(7, { pool: { refill_per_s: [99], capacity: 1 } })), T0)).toBe(false);
  expect([node.epoch, node.refillPerS(T0)]).toEqual([7, 10]);
});

function storeOf(values: Record<string, string>): RateStore {
  return async (keys) => new Map(keys.map((key) => [key, values[key] ?? null]));
}

const shard = (epoch: number, id: string) =>
  JSON.stringify({ version: 1, node: "n", epoch, buckets: { [id]: rates({ refill_per_s: [epoch] }) } });

test("shards are put together with their head", async () => {
  const head = tableText(5, { buckets: {}, shards: ["s0", "s1"] });
  const table = await readTable(storeOf({ [tableKey("n")]: head, s0: shard(5, "key:b"), s1: shard(5, "key:a") }), "n");
  expect([...(table?.buckets.keys() ?? [])]).toEqual(["key:a", "key:b"]);
  expect(table?.shards).toEqual([]);
});

test.each([
  ["torn", { s0: shard(5, "key:b") }],
  ["torn", { s0: shard(5, "key:b"), s1: shard(4, "key:a") }],
  ["json", { s0: shard(5, "key:b"), s1: shard(5, "key:a").slice(0, -1) }],
  ["version", { s0: shard(5, "key:b"), s1: '{"version":2}' }],
])("a table is no table while a shard is %s", async (reason, shards) => {
  const head = tableText(5, { buckets: {}, shards: ["s0", "s1"] });
  await expect(readTable(storeOf({ [tableKey("n")]: head, ...shards }), "n")).rejects.toMatchObject({ reason });
});

test("a store without the node's key has no table", async () => {
  expect(await readTable(storeOf({}), "n")).toBeUndefined();
});

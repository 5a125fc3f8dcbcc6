/** Reads a node's table from a KV store, and puts its shards together. */

import { type BucketRates, inOrder, parseShard, parseTable, type RateTable, RefusedTable, tableKey } from "./rate-table.ts";

/** A store of rate tables: the text under each key that has one. May throw, hang, or answer with what is out of date. */
export type RateStore = (keys: readonly string[]) => Promise<ReadonlyMap<string, string | null>>;

/**
 * The table of `node`; `undefined` when the store has none.
 *
 * A table counts only when every shard is there and is of its node and epoch: while a newer one is being written, or where a
 * store shows some keys later than others, there is nothing to adopt yet.
 *
 * @throws RefusedTable when a value is no part of a table; whatever `store` throws.
 */
export async function readTable(store: RateStore, node: string): Promise<RateTable | undefined> {
  const key = tableKey(node);
  const head = (await store([key])).get(key);
  if (head == null) return undefined;
  const table = parseTable(head);
  return table.shards.length === 0 ? table : join(table, await store(table.shards));
}

function join(table: RateTable, parts: ReadonlyMap<string, string | null>): RateTable {
  const entries: [string, BucketRates][] = [...table.buckets];
  for (const key of table.shards) {
    const part = parts.get(key);
    if (part == null) throw torn(key);
    const shard = parseShard(part);
    if (shard.node !== table.node || shard.epoch !== table.epoch) throw torn(key);
    entries.push(...shard.buckets);
  }
  return { ...table, buckets: inOrder(entries), shards: [] };
}

function torn(key: string): RefusedTable {
  return new RefusedTable("torn", `${key} does not belong to the table that names it: read again`);
}

/**
 * Cleans up state that nobody will read again. Workers KV expires values by itself; this finds what it cannot know: values written
 * under a longer expiry than the one in force, and those whose key is gone.
 */

import { STATE_PREFIX, type StateMark } from "./state-keeper.ts";

/** What a clean-up found and did, in values. */
export interface Purged {
  readonly listed: number;
  readonly kept: number;
  /** Deleted: not written for longer than the expiry. */
  readonly idle: number;
  /** Deleted: no mark, or sealed with a key that is gone. */
  readonly unreadable: number;
  /** Not deleted, because the store refused. */
  readonly failed: number;
  /** Whether the clean-up stopped at the bound on deletions; the next one goes on. */
  readonly isPartial: boolean;
}

/** What is unreadable is kept for so long, in case a key was left out by mistake. */
const GRACE_MS = 86_400_000;
/** Workers KV allows 1,000 operations in one invocation; listing needs some of them. */
const MOST_DELETIONS = 900;

/** Deletes from `kv` what is idle for `expireS` seconds at `nowMs`, or unreadable with the keys of `ids`. */
export async function purge(kv: KVNamespace, ids: readonly string[], expireS: number, nowMs: number): Promise<Purged> {
  const count = { listed: 0, kept: 0, idle: 0, unreadable: 0, failed: 0 };
  let cursor: string | undefined;
  do {
    const page: KVNamespaceListResult<unknown> = await kv.list({ prefix: STATE_PREFIX, ...(cursor === undefined ? {} : { cursor }) });
    for (const { name, metadata } of page.keys) {
      if (count.idle + count.unreadable + count.failed >= MOST_DELETIONS) return { ...count, isPartial: true };
      count.listed += 1;
      const verdict = judge(metadata, ids, expireS, nowMs);
      const isDone = verdict === "kept" || (await isDeleted(kv, name));
      count[isDone ? verdict : "failed"] += 1;
    }
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
  return { ...count, isPartial: false };
}

function judge(metadata: unknown, ids: readonly string[], expireS: number, nowMs: number): "kept" | "idle" | "unreadable" {
  const { at, key } = (metadata ?? {}) as Partial<StateMark>;
  if (typeof at !== "number" || typeof key !== "string") return "unreadable";
  if (nowMs - at > expireS * 1000) return "idle";
  // Without any key of its own the worker cannot tell what another one reads.
  const isForeign = ids.length > 0 && !ids.includes(key);
  return isForeign && nowMs - at > GRACE_MS ? "unreadable" : "kept";
}

async function isDeleted(kv: KVNamespace, name: string): Promise<boolean> {
  try {
    await kv.delete(name);
    return true;
  } catch {
    return false;
  }
}

import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { purge } from "../src/purge.ts";
import { Sealer } from "../src/seal.ts";
import { ENV, isolate, never, publish, secret, store, T0, tableText } from "./rig.ts";

afterEach(() => reset());

const KEYS = { STATE_KEYS: secret("k1", "a") };
const NAME = "tidegate-v1-state-dev";

/** A store of state that counts its writes, and can be told to refuse them. */
function counted() {
  const writes: { key: string; options: { expirationTtl: number; metadata: unknown } }[] = [];
  const refuse = { with: undefined as Error | undefined };
  const put = async (...args: never) => {
    const [key, value, options] = args as [string, Uint8Array, (typeof writes)[number]["options"]];
    if (refuse.with) throw refuse.with;
    writes.push({ key, options });
    return ENV.STATE.put(key, value, options);
  };
  return { writes, refuse, STATE: store(ENV.STATE, { put }) };
}

test("a cold start resumes where the buckets were left", async () => {
  await publish(tableText(1));
  const before = isolate(KEYS);
  expect(await before.statuses(90)).toEqual({ 200: 90 });
  await before.settle();

  const after = isolate(KEYS);
  after.clock.now = T0 + 1_000;
  expect(await after.statuses(15)).toEqual({ 200: 10, 429: 5 });
});

test("a cold start brings no more than what has accrued since", async () => {
  await publish(tableText(1, 2));
  const before = isolate(KEYS);
  await before.statuses(100);
  await before.settle();
  const after = isolate(KEYS);
  after.clock.now = T0 + 10_000;
  expect(await after.statuses(105)).toEqual({ 200: 20, 429: 85 });
  const setBack = isolate(KEYS);
  setBack.clock.now = T0 - 60_000;
  expect(await setBack.statuses(5)).toEqual({ 429: 5 });
});

test("many takes go into one write, and the writes of one key are a second apart or more", async () => {
  await publish(tableText(1, 10));
  const { writes, STATE } = counted();
  const { statuses, settle, alarms, clock } = isolate({ ...KEYS, STATE, STATE_WRITE_S: "5", COLD_WAIT_MS: "700" });
  await statuses(50);
  expect(alarms.filter(({ ms }) => ms === 1_000)).toHaveLength(1);
  expect(writes).toHaveLength(0);
  await settle();
  expect(writes).toHaveLength(1);
  clock.now += 10;
  await statuses(10);
  expect(alarms.map(({ ms }) => ms)).toContain(5_490);
  await settle();
  expect(writes).toHaveLength(2);
  expect(writes[0]).toEqual({ key: NAME, options: { expirationTtl: 7_776_000, metadata: { at: T0, key: "k1" } } });
});

test("a refused request writes nothing", async () => {
  await publish(tableText(1));
  const { writes, STATE } = counted();
  const { statuses, settle, clock } = isolate({ ...KEYS, STATE });
  await statuses(100);
  await settle();
  clock.now += 100_000;
  expect(await statuses(50)).toEqual({ 429: 50 });
  await settle();
  expect(writes).toHaveLength(1);
});

test("a store that refuses a write is left alone for longer, and requests go on", async () => {
  await publish(tableText(1, 10));
  const { writes, refuse, STATE } = counted();
  const { statuses, settle, clock, events } = isolate({ ...KEYS, STATE });
  refuse.with = new Error("KV PUT failed: 429 Too Many Requests");
  await statuses(1);
  await settle();
  expect(events("state_unwritable")).toMatchObject([{ reason: "Error: KV PUT failed: 429 Too Many Requests" }]);
  refuse.with = undefined;
  clock.now += 5_000;
  expect(await statuses(10)).toEqual({ 200: 10 });
  await settle();
  expect(writes).toHaveLength(1);
});

test("what is kept can be read with no other secret, and not in another's place", async () => {
  await publish(tableText(1));
  const { statuses, settle } = isolate(KEYS);
  await statuses(90);
  await settle();
  const sealed = (await ENV.STATE.get(NAME, "arrayBuffer")) as ArrayBuffer;
  const opened = await (await Sealer.from(KEYS.STATE_KEYS)).open(sealed, NAME);
  expect(JSON.parse(opened)).toMatchObject({ at: T0, total: 10 });
  expect(new TextDecoder("latin1").decode(sealed)).not.toContain("key:");
  for (const keys of [secret("k1", "b"), secret("k2", "a")]) await expect((await Sealer.from(keys)).open(sealed, NAME)).rejects.toThrow();
  await expect((await Sealer.from(KEYS.STATE_KEYS)).open(sealed, `${NAME}-2`)).rejects.toThrow("not authentic");
  for (const end of [0, 1, 3, 20, sealed.byteLength - 1]) {
    await expect((await Sealer.from(KEYS.STATE_KEYS)).open(sealed.slice(0, end), NAME)).rejects.toThrow();
  }
});

test("a new key seals and the old one still opens", async () => {
  await publish(tableText(1));
  const before = isolate(KEYS);
  await before.statuses(90);
  await before.settle();
  const { writes, STATE } = counted();
  const after = isolate({ STATE, STATE_KEYS: `${secret("k2", "b")}, ${KEYS.STATE_KEYS}` });
  expect(await after.statuses(5)).toEqual({ 200: 5 });
  await after.settle();
  expect(writes[0]?.options.metadata).toEqual({ at: T0, key: "k2" });
  const last = isolate({ STATE_KEYS: secret("k2", "b") });
  expect(await last.statuses(10)).toEqual({ 200: 5, 429: 5 });
});

test.each([
  ["cannot be opened", { STATE_KEYS: secret("k1", "b") }, "not authentic"],
  ["has keys that are none", { STATE_KEYS: "hunter2" }, "not a list of id:base64"],
  ["has a key that is too short", { STATE_KEYS: `k1:${btoa("short")}` }, "fewer than 32 bytes"],
  ["throws", { ...KEYS, STATE: store(ENV.STATE, { get: () => Promise.reject(new Error("away")) }) }, "away"],
])("a node whose state %s begins empty, goes on, and says so", async (_, change, why) => {
  await publish(tableText(1, 10));
  const before = isolate(KEYS);
  await before.statuses(1);
  await before.settle();
  const { statuses, clock, events } = isolate(change);
  expect(await statuses(5)).toEqual({ 429: 5 });
  clock.now += 1_000;
  expect(await statuses(15)).toEqual({ 200: 10, 429: 5 });
  expect(events("state_unreadable")).toMatchObject([{ reason: expect.stringContaining(why) }]);
  expect(JSON.stringify(events("state_unreadable"))).not.toContain("hunter2");
});

test("state that hangs holds up the first requests for the cold wait, no longer", async () => {
  await publish(tableText(1, 10));
  const { ask, alarms, events } = isolate({ ...KEYS, STATE: store(ENV.STATE, { get: never }) });
  const first = ask("k1");
  await expect.poll(() => alarms.filter(({ ms }) => ms === 1_000).length).toBe(2);
  for (const { ring } of alarms) ring();
  expect((await first).status).toBe(429);
  expect(events("state_unreadable")).toHaveLength(1);
});

test("the clean-up deletes what is idle or unreadable, keeps the rest, and reports both", async () => {
  const put = (node: string, metadata: unknown) => ENV.STATE.put(`tidegate-v1-state-${node}`, "x", { metadata });
  const day = 86_400_000;
  await put("fresh", { at: T0 - day, key: "k1" });
  await put("idle", { at: T0 - 91 * day, key: "k1" });
  await put("rotated", { at: T0 - 2 * day, key: "k0" });
  await put("other-key-just-now", { at: T0 - 1_000, key: "k9" });
  await put("strange", { at: "yesterday" });
  await ENV.STATE.put("someone-elses", "x");
  const { runScheduled, events } = isolate(KEYS);
  await runScheduled();
  expect(events("state_purged")).toEqual([
    { event: "state_purged", listed: 5, kept: 2, idle: 1, unreadable: 2, failed: 0, isPartial: false },
  ]);
  const left = (await ENV.STATE.list()).keys.map(({ name }) => name);
  expect(left).toEqual(["someone-elses", "tidegate-v1-state-fresh", "tidegate-v1-state-other-key-just-now"]);
});

test("the clean-up stops within what one invocation may do", async () => {
  const keys = Array.from({ length: 905 }, (_, i) => ({ name: `tidegate-v1-state-${i}`, metadata: { at: 0, key: "k1" } }));
  const deleted: string[] = [];
  const kv = { list: async () => ({ keys, list_complete: true }), delete: async (name: string) => void deleted.push(name) };
  const { isPartial, idle } = await purge(kv as unknown as KVNamespace, ["k1"], 60, T0);
  expect([isPartial, idle, deleted.length]).toEqual([true, 900, 900]);
});

test("what the store will not delete is reported as such", async () => {
  await ENV.STATE.put("tidegate-v1-state-a", "x");
  const { failed } = await purge(store(ENV.STATE, { delete: () => Promise.reject(new Error("away")) }), ["k1"], 60, T0);
  expect(failed).toBe(1);
});

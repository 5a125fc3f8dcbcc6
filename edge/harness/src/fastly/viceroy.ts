/** Fastly's local runtime, viceroy, as a child process. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Listening } from "../loopback.ts";

/** A service to run. */
export interface Service {
  /** Path of the program. */
  readonly program: string;
  /** Folder for its configuration. */
  readonly folder: string;
  /** Backends' base URLs by their names. */
  readonly backends: Readonly<Record<string, string>>;
  /** The Config Store `tidegate`. */
  readonly config: Readonly<Record<string, string>>;
  /** What the KV Store `tidegate-rates` holds at first; there is no such store if left out. */
  readonly rates?: Readonly<Record<string, string>>;
  /** Gets each line that sandboxes log, those of a log endpoint after its name and ` :: `. */
  readonly onLog?: (line: string) => void;
}

/** The program that VICEROY names, or that is on the search path; `undefined` when there is none. */
export function viceroy(): string | undefined {
  if (process.env.VICEROY) return process.env.VICEROY;
  const places = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "viceroy"));
  return places.find(existsSync);
}

/** Starts `service` and waits until it listens, which takes some seconds: it compiles the program first. */
export async function startViceroy(service: Service): Promise<Listening> {
  const path = viceroy();
  if (path === undefined) throw new Error("viceroy is missing: `cargo xtask tools viceroy` builds it, or VICEROY names it");
  const config = join(service.folder, `${service.config.node ?? "node"}.toml`);
  writeFileSync(config, manifest(service));
  const child = spawn(path, ["serve", "--addr", "127.0.0.1:0", "-C", config, service.program], {
    // Of its own log only the line that says where it listens.
    env: { ...process.env, RUST_LOG: "viceroy_lib::service=info" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const gone = once(child, "exit");
  const url = await address(child, service.onLog ?? (() => {}));
  return {
    url,
    stop: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** The URL that it says it listens on; all its other lines go to `onLog`. */
function address(child: ChildProcess, onLog: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const read = (line: string) => {
      const found = /Listening on (http:\S+)/.exec(line)?.[1];
      if (found !== undefined) return resolve(found);
      last.splice(0, Math.max(0, last.length - 9));
      last.push(line);
      onLog(line);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface(stream as Readable).on("line", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`viceroy ended before it listened:\n${last.join("\n")}`)));
  });
}

/** The service's `fastly.toml`. A string of JSON is one of TOML, too. */
function manifest({ backends, config, rates }: Service): string {
  const text = JSON.stringify;
  const backend = ([name, url]: [string, string]) => `[local_server.backends.${name}]\nurl = ${text(url)}\n`;
  const pairs = Object.entries(rates ?? {}).map(([key, data]) => `{ key = ${text(key)}, data = ${text(data)} }`);
  return [
    'manifest_version = 3\nname = "tidegate"\nlanguage = "javascript"\n',
    ...Object.entries(backends).map(backend),
    '[local_server.config_stores.tidegate]\nformat = "inline-toml"\n',
    "[local_server.config_stores.tidegate.contents]",
    ...Object.entries(config).map(([key, value]) => `${key} = ${text(value)}`),
    rates === undefined ? "" : `[local_server.kv_stores]\ntidegate-rates = [${pairs.join(", ")}]\n`,
    "[local_server.secret_stores]\ntidegate = []\n",
  ].join("\n");
}

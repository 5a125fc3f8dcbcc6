/** The engine's program as a child process, publishing to a platform's store. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Destination } from "./platform.ts";

/** Names the built program. */
const PROGRAM_ENV = "TIDEGATE_BIN";

/** What to run. */
export interface EngineOptions {
  /** Folder of its configuration and of everything that outlives a restart. */
  readonly folder: string;
  /** Configuration besides `destination`, TOML. */
  readonly config: string;
  readonly destination: Destination;
}

/** An engine that serves. */
export interface Engine {
  readonly url: string;
  /** Ends it as `kill -9` does, and waits until it is gone. */
  readonly kill: () => Promise<void>;
}

/** Starts `tidegate serve` on a free port and waits until it listens. */
export async function startEngine({ folder, config, destination }: EngineOptions): Promise<Engine> {
  const file = join(folder, "tidegate.toml");
  writeFileSync(file, `${config}\n${destination.config}\n`);
  const child = spawn(program(), ["serve", "--config", file, "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data")], {
    env: { ...process.env, ...destination.env, TIDEGATE__LOG__FORMAT: "json" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  const end = () => void child.kill("SIGKILL");
  // It would outlive a process that is interrupted.
  process.once("exit", end);
  return {
    url: `http://${await address(child)}`,
    kill: async () => {
      process.off("exit", end);
      end();
      await gone;
    },
  };
}

function program(): string {
  const path = process.env[PROGRAM_ENV];
  if (path) return path;
  throw new Error(
    `${PROGRAM_ENV} is not set: run \`cargo build\` and set it to the path of target/debug/tidegate; \`cargo xtask\` does so by itself`,
  );
}

/** The address that its log names; the log is read to its end, or the program would wait for a full pipe. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    if (child.stderr === null) return reject(new Error("the engine has no log"));
    const lines = createInterface(child.stderr);
    lines.on("line", (line) => {
      last.splice(0, Math.max(0, last.length - 9));
      last.push(line);
      const found = addressIn(line);
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the engine ended before it listened:\n${last.join("\n")}`)));
  });
}

function addressIn(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { fields?: { address?: string } }).fields?.address;
  } catch {
    return undefined;
  }
}

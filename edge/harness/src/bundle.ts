/** Workers as the platform gets them: one module each. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** A worker's module, and what it imports from outside. */
export interface Bundle {
  readonly script: string;
  readonly imports: readonly string[];
}

/** Paths of the workers, from the folder `edge/`. */
export const WORKERS = {
  cloudflare: "cloudflare/src/index.ts",
  fastly: "fastly/src/main.ts",
  fastlySteered: "harness/src/fastly/sandbox/main.ts",
  akamai: "akamai/src/main.ts",
  kvFront: "harness/src/workers/kv-front.ts",
  kvPerRequest: "harness/src/workers/kv-per-request.ts",
  passThrough: "harness/src/workers/pass-through.ts",
  origin: "harness/src/workers/origin.ts",
} as const;

/** Modules that the platforms bring: Cloudflare's, Fastly's, Akamai's. */
const OF_PLATFORMS = ["cloudflare:*", "fastly:*", "http-request", "crypto", "log", "encoding"];

/** The folder `edge/`, from a source file here and from a built script alike. */
export function edge(): string {
  return fileURLToPath(new URL("../../", import.meta.url));
}

/** Paths, from the folder `edge/`, of what is bundled in place of a module, by its name. */
export type Replacements = Readonly<Record<string, string>>;

/** Bundles the worker at `path`. */
export async function bundle(path: string, replacements: Replacements = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: edge(),
    entryPoints: [path],
    bundle: true,
    format: "esm",
    target: "es2022",
    external: [...OF_PLATFORMS, "node:*"],
    plugins: [replacing(replacements)],
    metafile: true,
    write: false,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map((i) => i.path));
  return { script: outputFiles[0]?.text ?? "", imports };
}

function replacing(replacements: Replacements): Plugin {
  const resolved = ({ path }: { path: string }) => {
    const replacement = replacements[path];
    return replacement === undefined ? undefined : { path: join(edge(), replacement) };
  };
  return { name: "replacements", setup: ({ onResolve }) => onResolve({ filter: /.*/ }, resolved) };
}

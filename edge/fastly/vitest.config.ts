import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

const fake = fileURLToPath(new URL("test/fakes/fastly.ts", import.meta.url));
const modules = ["cache", "config-store", "edge-rate-limiter", "env", "kv-store", "logger", "secret-store"];

// The modules exist on the platform alone.
export default defineConfig({
  resolve: { alias: Object.fromEntries(modules.map((name) => [`fastly:${name}`, fake])) },
  test: { name: "fastly", include: ["test/**/*.test.ts", "collector/*.test.ts"], ...PATIENT },
});

import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

// Each file starts a runtime of its own. Akamai's worker is loaded as a module of its own context, which Node.js keeps behind a flag.
export default defineConfig({
  test: {
    name: "harness",
    include: ["test/**/*.test.ts"],
    ...PATIENT,
    fileParallelism: false,
    pool: "forks",
    execArgv: ["--experimental-vm-modules"],
  },
});

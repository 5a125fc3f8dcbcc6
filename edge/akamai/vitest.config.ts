import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

// The bundle is loaded as a module of its own context, which Node.js keeps behind a flag.
export default defineConfig({
  test: { name: "akamai", include: ["test/**/*.test.ts"], ...PATIENT, pool: "forks", execArgv: ["--experimental-vm-modules"] },
});

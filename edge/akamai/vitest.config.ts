import { defineConfig } from "vitest/config";

// The bundle is loaded as a module of its own context, which Node.js keeps behind a flag.
export default defineConfig({
  test: { name: "akamai", include: ["test/**/*.test.ts"], pool: "forks", execArgv: ["--experimental-vm-modules"] },
});

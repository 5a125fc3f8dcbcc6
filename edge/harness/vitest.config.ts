import { defineConfig } from "vitest/config";

// Each file starts a runtime of its own.
export default defineConfig({ test: { name: "harness", include: ["test/**/*.test.ts"], fileParallelism: false } });

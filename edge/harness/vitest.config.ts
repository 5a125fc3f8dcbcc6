import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

// Each file starts a runtime of its own.
export default defineConfig({ test: { name: "harness", include: ["test/**/*.test.ts"], ...PATIENT, fileParallelism: false } });

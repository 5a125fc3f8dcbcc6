import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

export default defineConfig({ test: { name: "core", include: ["test/**/*.test.ts"], ...PATIENT } });

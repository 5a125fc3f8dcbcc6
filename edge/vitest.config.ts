import { defineConfig } from "vitest/config";

export default defineConfig({ test: { projects: ["core", "cloudflare", "akamai", "fastly", "harness"] } });

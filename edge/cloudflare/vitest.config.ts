import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { PATIENT } from "../patience.ts";

// Real workerd; nothing is asked of the network.
export default defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.jsonc" }, miniflare: { cf: false } })],
  test: { name: "cloudflare", include: ["test/**/*.test.ts"], ...PATIENT },
});

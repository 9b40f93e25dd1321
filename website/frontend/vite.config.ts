import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = process.env.SKILL_ARCADE_BACKEND ?? "http://localhost:8080";

// Cross-origin isolation: performance.now() then resolves 5 microseconds rather than 100.
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

// `/play/:gameId` and `/research` are pages.
const proxy = {
  "^/(auth|challenges|episodes|exports|games|judgements)(/|\\?|$)": { target: backend },
  "^/(leaderboards|lockstep|me|shared|studies)(/|\\?|$)": { target: backend },
  "^/(consent/document|play/tickets)(\\?|$)": { target: backend },
  "^/research/": { target: backend },
  "^/(health/live|health/ready|metrics|openapi\\.json|config\\.json)$": { target: backend },
  "^/ws/": { target: backend, ws: true },
};

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { port: 5173, strictPort: true, headers: isolation, proxy },
  preview: { port: 5173, strictPort: true, headers: isolation, proxy },
  build: { target: "es2022", assetsInlineLimit: 0 },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // The default timeout of 5 s is too short on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

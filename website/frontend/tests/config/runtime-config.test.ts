// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";

import { parseConfig } from "@/config/env";

const ORIGIN = "https://arcade.web.app";

describe("server address from the configuration", () => {
  it("server address without a setting is that of the page", () => {
    expect(parseConfig({ apiUrl: null }, ORIGIN)).toEqual({
      http: ORIGIN,
      socket: "wss://arcade.web.app",
      games: `${ORIGIN}/games`,
    });
  });

  it("server address with apiUrl is used for HTTP and the socket", () => {
    const config = { apiUrl: "https://api-12.europe-west1.run.app", release: "c0ffee" };
    expect(parseConfig(config, ORIGIN)).toEqual({
      http: "https://api-12.europe-west1.run.app",
      socket: "wss://api-12.europe-west1.run.app",
      games: "https://api-12.europe-west1.run.app/games",
    });
  });

  it("server address with gamesUrl reads the list of games from the page's site", () => {
    const config = { apiUrl: "https://api.example.org", gamesUrl: "/games.json" };
    expect(parseConfig(config, ORIGIN)).toMatchObject({
      http: "https://api.example.org",
      games: `${ORIGIN}/games.json`,
    });
  });

  it("server address with socketUrl is used for the socket only", () => {
    const config = { apiUrl: "https://api.example.org", socketUrl: "wss://play.example.org/" };
    expect(parseConfig(config, ORIGIN).socket).toBe("wss://play.example.org");
  });

  it.each([{}, [], null, "https://api.example.org", { apiUrl: 7 }, { apiUrl: "api" }])(
    "server address from an invalid configuration %j throws",
    (config) => {
      expect(() => parseConfig(config, ORIGIN)).toThrow("/config.json");
    },
  );
});

describe("configuration request", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  const load = async (answer: () => Promise<Response>) => {
    const asked = vi.fn(answer);
    vi.stubGlobal("fetch", asked);
    const { getEnv, loadEnv } = await import("@/config/env");
    await loadEnv();
    return { env: getEnv(), asked };
  };

  it("configuration request in a production build is sent once, before the page starts", async () => {
    const { env, asked } = await load(() =>
      Promise.resolve(Response.json({ apiUrl: "https://api.example.org" })),
    );
    expect(env.http).toBe("https://api.example.org");
    expect(asked.mock.calls).toEqual([["/config.json"]]);
  });

  it("configuration request in a development build with a hostname is not sent", async () => {
    vi.stubEnv("VITE_PUBLIC_WEBSITE_HOSTNAME", "localhost:8080");
    const { env, asked } = await load(() => Promise.reject(new Error("not asked")));
    expect(env).toEqual({
      http: "http://localhost:8080",
      socket: "ws://localhost:8080",
      games: "http://localhost:8080/games",
    });
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    ["Check your connection", () => Promise.reject(new TypeError("offline"))],
    ["404", () => Promise.resolve(new Response("", { status: 404 }))],
    ["no valid apiUrl", () => Promise.resolve(new Response("<!doctype html>"))],
  ])("configuration error contains %s", async (words, answer) => {
    await expect(load(answer)).rejects.toThrow(words);
  });
});

// @vitest-environment happy-dom
import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, test, vi } from "vitest";

import { watchSocketQuery } from "@/api/watch";

const SERVER = "01234567-89ab-cdef-0123-456789abcdef";

afterEach(() => vi.unstubAllGlobals());

/** Answers requests with this socket, and returns the addresses that were asked for. */
function answerWith(socket: string | null): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(Response.json({ socket }));
  });
  return asked;
}

describe("watchSocketQuery", () => {
  test("[O18] asks for the server that the token names, and never sends the secret", async () => {
    const asked = answerWith("wss://two.example");
    const found = await new QueryClient().query(watchSocketQuery(`${SERVER}.secret`));
    expect(found).toBe("wss://two.example");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(`/ws/watch/servers/${SERVER}`);
    expect(asked[0]).not.toContain("secret");
  });

  test("[O18] asks for nothing if the token names no server", async () => {
    const asked = answerWith("wss://two.example");
    expect(await new QueryClient().query(watchSocketQuery("secret"))).toBeNull();
    expect(asked).toEqual([]);
  });
});

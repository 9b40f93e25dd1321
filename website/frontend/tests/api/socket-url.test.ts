// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { socketUrl } from "@/api/client";

describe("socketUrl", () => {
  it("socketUrl with the origin of a ticket connects there", () => {
    expect(socketUrl("breakout", { speed: "0.5" }, "wss://arcade-1.example.org")).toBe(
      "wss://arcade-1.example.org/ws/breakout?speed=0.5",
    );
  });

  it.each([null, undefined])(
    "socketUrl with the origin %s connects to the API's server",
    (origin) => {
      const own = location.origin.replace(/^http/, "ws");
      expect(socketUrl("breakout", {}, origin)).toBe(`${own}/ws/breakout`);
    },
  );
});

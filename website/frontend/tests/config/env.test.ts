import { expect, test } from "vitest";

import { parseEnv } from "@/config/env";

const parse = (host?: string) =>
  parseEnv({ VITE_PUBLIC_WEBSITE_HOSTNAME: host }, "http://localhost:5173");

test("environment variable when unset selects the page's own server", () => {
  expect(parse()).toMatchObject({ http: "http://localhost:5173", socket: "ws://localhost:5173" });
  expect(parse("")).toEqual(parse());
});

test.each([
  ["arcade.example.org", "https://arcade.example.org", "wss://arcade.example.org"],
  ["localhost:8080", "http://localhost:8080", "ws://localhost:8080"],
  ["http://10.0.0.7:8080", "http://10.0.0.7:8080", "ws://10.0.0.7:8080"],
  [" https://arcade.example.org/ ", "https://arcade.example.org", "wss://arcade.example.org"],
])("environment variable %s sets the addresses of HTTP and the socket", (host, http, socket) => {
  expect(parse(host)).toEqual({ http, socket, games: `${http}/games` });
});

test.each(["not a host", "arcade.example.org/games", "https://me@example.org", "https://"])(
  "environment variable %s throws an error with an example",
  (host) => {
    expect(() => parse(host)).toThrow(/VITE_PUBLIC_WEBSITE_HOSTNAME.*must be a host such as/);
  },
);

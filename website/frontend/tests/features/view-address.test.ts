import { expect, test } from "vitest";

import {
  DEFAULT_VIEW,
  formatView,
  parseReplayLink,
  parseTokens,
  parseView,
} from "@/features/replay/view-address";

const EPISODE = "01a22370-af99-7180-a7e2-f6b800000000";

test.each([
  ["", DEFAULT_VIEW],
  ["?f=12", { ...DEFAULT_VIEW, frame: 12 }],
  ["?f=12-40&speed=0.25", { ...DEFAULT_VIEW, frame: 12, end: 40, speed: 0.25 }],
  [`?f=3&vs=${EPISODE}&sync=score`, { ...DEFAULT_VIEW, frame: 3, versus: EPISODE, sync: "score" }],
] as const)("address %s round-trips", (query, view) => {
  expect(parseView(query)).toEqual(view);
  expect(formatView(view)).toBe(query);
});

test.each(["?f=-1", "?f=x", "?f=1e9", "?speed=3", "?vs=../x", "?sync=luck", "?f=12345678901"])(
  "invalid address %s is ignored",
  (query) => {
    expect(parseView(query)).toEqual(DEFAULT_VIEW);
  },
);

test("range that ends before it begins is one frame", () => {
  expect(parseView("?f=9-3")).toEqual({ ...DEFAULT_VIEW, frame: 9 });
});

test("tokens come from the fragment only", () => {
  expect(parseTokens("#share=a-b_c&vs-share=d")).toEqual({ share: "a-b_c", versusShare: "d" });
  expect(parseTokens("")).toEqual({ share: null, versusShare: null });
});

test("links and ids of replays are recognised, others are not", () => {
  const link = `https://arcade.example.org/replay/${EPISODE}?f=3#share=tok`;
  expect(parseReplayLink(link)).toEqual({ episode: EPISODE, share: "tok" });
  expect(parseReplayLink(` ${EPISODE} `)).toEqual({ episode: EPISODE, share: null });
  for (const text of ["", "hello", "https://x.org/", "https://x.org/replay/1"]) {
    expect(parseReplayLink(text)).toBeNull();
  }
});

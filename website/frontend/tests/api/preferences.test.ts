// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";

import { readCache } from "@/api/preferences";

describe("preferences cache", () => {
  test("preferences cache with the keys of earlier versions is migrated", () => {
    const stored = { likes: { volume: 30, removed: 1 }, userId: "user-1", unsaved: true };
    const cache = readCache(stored);
    expect(cache).toMatchObject({ userId: "user-1", isUnsaved: true });
    expect(cache.preferences).toMatchObject({ volume: 30, hand: "right" });
    expect(cache.preferences).not.toHaveProperty("removed");
    expect(cache).not.toHaveProperty("likes");
    expect(cache).not.toHaveProperty("unsaved");
  });

  test("preferences cache with current and earlier keys uses the current ones", () => {
    const stored = {
      preferences: { volume: 10 },
      isUnsaved: false,
      likes: { volume: 30 },
      unsaved: true,
    };
    expect(readCache(stored)).toMatchObject({ preferences: { volume: 10 }, isUnsaved: false });
  });

  test.each([null, "text", {}])("preferences cache with %j uses the defaults", (stored) => {
    expect(readCache(stored)).toMatchObject({
      preferences: { volume: 70 },
      userId: null,
      isUnsaved: false,
    });
  });
});

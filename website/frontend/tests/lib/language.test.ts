// @vitest-environment happy-dom
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const { documentElement } = document;

/** Loads the modules anew, as on the first page of a visit of a browser with these languages. */
async function openPage(...browserLanguages: string[]) {
  vi.resetModules();
  vi.spyOn(navigator, "languages", "get").mockReturnValue(browserLanguages);
  const { i18n } = await import("@/lib/i18n");
  return { i18n, ...(await import("@/lib/language")) };
}

beforeEach(() => {
  sessionStorage.clear();
  documentElement.lang = "en";
});
afterEach(cleanup);

test.each([
  [["de"], "de"],
  [["de-AT", "en"], "de"],
  [["fr", "DE-ch"], "de"],
  [["en-GB", "de"], "en"],
  [["fr", "pt-BR"], "en"],
  [[], "en"],
])("language of a browser with %j is %s", async (browserLanguages, expected) => {
  const { i18n, useWantedLanguage } = await openPage(...browserLanguages);
  const { result } = renderHook(() => useWantedLanguage());
  await waitFor(() => expect(result.current).toBe(true));
  expect(i18n.locale).toBe(expected);
  expect(documentElement.lang).toBe(expected);
  expect(documentElement.dir).toBe("ltr");
});

test("language that was chosen comes before those of the browser, for the whole visit", async () => {
  const first = await openPage("en");
  const { unmount } = renderHook(() => first.useWantedLanguage());
  await act(() => first.chooseLanguage("de"));
  expect(first.i18n._("Take a break")).toBe("Machen Sie eine Pause");
  expect(first.readWantedTag()).toBe("de");
  unmount();
  const second = await openPage("en");
  const { result } = renderHook(() => second.useWantedLanguage());
  await waitFor(() => expect(result.current).toBe(true));
  expect(second.i18n.locale).toBe("de");
});

test("chosen language without a catalogue is still asked of the server", async () => {
  const { i18n, chooseLanguage, readWantedTag } = await openPage("de", "en");
  await chooseLanguage("fr");
  expect(i18n.locale).toBe("de");
  expect(readWantedTag()).toBe("fr");
});

test("english chosen while German loads stays", async () => {
  const { i18n, chooseLanguage } = await openPage("en");
  await Promise.all([chooseLanguage("de"), chooseLanguage("en")]);
  expect(i18n.locale).toBe("en");
});

test("page is English again after a page in German", async () => {
  const { i18n, useWantedLanguage } = await openPage("de");
  const { result, unmount } = renderHook(() => useWantedLanguage());
  await waitFor(() => expect(result.current).toBe(true));
  unmount();
  expect(i18n.locale).toBe("en");
  expect(documentElement.lang).toBe("en");
});

test("numbers and plurals follow the language and the region", async () => {
  const { i18n, chooseLanguage } = await openPage("de-CH", "en");
  await chooseLanguage("de");
  const { formatScore } = await import("@/lib/format");
  expect(formatScore(1234.5)).toBe(new Intl.NumberFormat("de-CH").format(1234.5));
  expect(formatScore(1234.5)).not.toBe(new Intl.NumberFormat("de").format(1234.5));
  const text = "The next game can start in {seconds, plural, one {# second} other {# seconds}}.";
  expect(i18n._(text, { seconds: 1 })).toBe("Das nächste Spiel kann in 1 Sekunde beginnen.");
  expect(i18n._(text, { seconds: 20 })).toBe("Das nächste Spiel kann in 20 Sekunden beginnen.");
  await chooseLanguage("en");
  expect(formatScore(1234.5)).toBe("1,234.5");
  expect(i18n._(text, { seconds: 1 })).toBe("The next game can start in 1 second.");
});

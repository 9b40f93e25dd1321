// @vitest-environment happy-dom
import { act, cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const { documentElement } = document;

/** Loads the modules anew, as on the first page of a visit of a browser with these languages. */
async function openPage(...browserLanguages: string[]) {
  vi.resetModules();
  vi.spyOn(navigator, "languages", "get").mockReturnValue(browserLanguages);
  const { i18n } = await import("@/lib/i18n");
  const language = await import("@/lib/language");
  await language.activateWantedLanguage();
  return { i18n, ...language };
}

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
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
  const { i18n } = await openPage(...browserLanguages);
  expect(i18n.locale).toBe(expected);
  expect(documentElement.lang).toBe(expected);
  expect(documentElement.dir).toBe("ltr");
});

test("language that was chosen comes before those of the browser, for the whole visit", async () => {
  const first = await openPage("en");
  await first.chooseLanguage("de");
  expect(first.i18n._("Take a break")).toBe("Machen Sie eine Pause");
  expect(first.readWantedTag()).toBe("de");
  const second = await openPage("en");
  expect(second.i18n.locale).toBe("de");
  sessionStorage.clear();
  expect((await openPage("en")).i18n.locale).toBe("en");
});

test("language that was chosen for the device outlasts the visit", async () => {
  const { chooseLanguage } = await openPage("en");
  await chooseLanguage("de", "device");
  sessionStorage.clear();
  expect((await openPage("en")).i18n.locale).toBe("de");
});

test("chooser offers each language by its own name and changes the page", async () => {
  const { i18n } = await openPage("de");
  const { LanguageChooser } = await import("@/components/language-chooser");
  const { renderWithTexts } = await import("../support/render-with-texts");
  renderWithTexts(<LanguageChooser />);
  expect(screen.getAllByRole("option").map(({ textContent }) => textContent)).toEqual([
    "English",
    "Deutsch",
  ]);
  const select = screen.getByLabelText<HTMLSelectElement>("Sprache");
  expect(select.value).toBe("de");
  await act(() => userEvent.selectOptions(select, "en"));
  expect(i18n.locale).toBe("en");
  expect(screen.getByLabelText("Language")).toBe(select);
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

test("numbers, plurals and times follow the language and the region", async () => {
  const { i18n, chooseLanguage } = await openPage("de-CH", "en");
  const { formatCount, formatScore, formatTimeAgo } = await import("@/lib/format");
  expect(formatScore(1234.5)).toBe(new Intl.NumberFormat("de-CH").format(1234.5));
  expect(formatScore(1234.5)).not.toBe(new Intl.NumberFormat("de").format(1234.5));
  expect(formatCount(1, "round")).toBe("1 Runde");
  expect(formatTimeAgo("2026-11-29T10:00:00Z", Date.parse("2026-11-29T10:05:00Z"))).toBe(
    "vor 5 Min.",
  );
  const text = "The next game can start in {seconds, plural, one {# second} other {# seconds}}.";
  expect(i18n._(text, { seconds: 1 })).toBe("Das nächste Spiel kann in 1 Sekunde beginnen.");
  expect(i18n._(text, { seconds: 20 })).toBe("Das nächste Spiel kann in 20 Sekunden beginnen.");
  await chooseLanguage("en");
  expect(formatScore(1234.5)).toBe("1,234.5");
  expect(formatCount(1200, "step")).toBe("1,200 steps");
  expect(i18n._(text, { seconds: 1 })).toBe("The next game can start in 1 second.");
});

test.each([
  [
    "This name is reserved. Choose another one.",
    "Dieser Name ist reserviert. Wählen Sie einen anderen.",
  ],
  [
    "Take a break: the next game starts in 12 s.",
    "Machen Sie eine Pause: Das nächste Spiel beginnt in 12 s.",
  ],
  ["A keyboard is needed. Sound is needed.", "Sie brauchen eine Tastatur. Sie brauchen Ton."],
  [
    "You have opened too many games in a short time. Try again in 1 second.",
    "Sie haben in kurzer Zeit zu viele Spiele geöffnet. Versuchen Sie es in 1 Sekunde noch einmal.",
  ],
  ["Body: a detail of a field.", "Die Anfrage ist ungültig."],
])("text of the server %j is shown in German", async (text, expected) => {
  const { chooseLanguage } = await openPage("de");
  const { translateServerText } = await import("@/lib/server-texts");
  expect(translateServerText(text, "The request is invalid.")).toBe(expected);
  await chooseLanguage("en");
  expect(translateServerText(text, "The request is invalid.")).toBe(text);
});

test("text of the server without a translation stays as it is", async () => {
  await openPage("de");
  const { translateServerText } = await import("@/lib/server-texts");
  expect(translateServerText("Something new.")).toBe("Something new.");
});

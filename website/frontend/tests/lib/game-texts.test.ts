// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";

import { GAME_TEXTS } from "@/locales/games/texts";

async function chooseLanguage(tag: string) {
  const { chooseLanguage } = await import("@/lib/language");
  await chooseLanguage(tag);
  return import("@/lib/game-texts");
}

beforeEach(() => vi.resetModules());

test("texts of games are translated with the page, and are English again afterwards", async () => {
  const { translateGameText } = await chooseLanguage("de");
  expect(translateGameText("Pick up")).toBe("Aufheben");
  await chooseLanguage("en");
  expect(translateGameText("Pick up")).toBe("Pick up");
});

test("a summary is translated by its sentences", async () => {
  const { translateGameText } = await chooseLanguage("de");
  const [green, cells] = [
    "Walk to the green square.",
    "The lit cells are all that an agent would see.",
  ];
  expect(translateGameText(`${green} ${cells}`)).toBe(
    "Gehen Sie zum grünen Feld. Die hellen Felder sind alles, was ein Agent sehen würde.",
  );
});

test("a text that has no translation stays as it is, as a whole", async () => {
  const { translateGameText } = await chooseLanguage("de");
  expect(translateGameText("A game of yours.")).toBe("A game of yours.");
  expect(translateGameText("Walk to the green square. And back.")).toBe(
    "Walk to the green square. And back.",
  );
});

test("games and page may translate a word differently", async () => {
  const { translateGameText } = await chooseLanguage("de");
  const { i18n } = await import("@/lib/i18n");
  expect(translateGameText("Swing")).toBe("Schlagen");
  expect(i18n.messages).not.toHaveProperty("Swing");
});

test("most texts of the shipped games are German", async () => {
  const { translateGameText } = await chooseLanguage("de");
  const english = GAME_TEXTS.filter((text) => translateGameText(text) === text);
  // Laser, and what was added since without a translation.
  expect(english.length).toBeLessThan(GAME_TEXTS.length / 20);
});

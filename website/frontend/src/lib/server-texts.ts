import { i18n } from "./i18n";

/**
 * Texts of the server that pages show, as the server writes them. Those of close codes and errors
 * are in generated files. `tests/test_server_texts.py` of the back end finds each in its code.
 */
const SERVER_TEXTS: readonly string[] = [
  /*i18n*/ "A keyboard is needed.",
  /*i18n*/ "A name has letters of one script only, for example Latin. Choose another one.",
  /*i18n*/ "A name has letters, digits, spaces, hyphens, underscores and apostrophes only.",
  /*i18n*/ "A name has {minimum} to {maximum} characters. Choose another one.",
  /*i18n*/ "A name needs at least two letters or digits. Choose another one.",
  /*i18n*/ "A player has withdrawn since this download was requested. Request a new one.",
  /*i18n*/ "All games of this part of the study are played. Reload the page.",
  /*i18n*/ "Another player has this name, or one that looks like it. Choose another one.",
  /*i18n*/ "A small network that has learned from rounds of cart-pole-balancer.",
  /*i18n*/ "Answers are recorded for research, which you have not allowed. Allow it first, then open this page again.",
  /*i18n*/ "BabyAI's own expert, which knows the whole level.",
  /*i18n*/ "Draws each action with equal chance.",
  /*i18n*/ "Enter the year in which you were born, with four digits.",
  /*i18n*/ "Follows the ball with its paddle, and sees only the picture.",
  /*i18n*/ "Games are recorded here, and you have not been asked yet. Open the game again, and answer the question.",
  /*i18n*/ "Invalid e-mail address: {reason}",
  /*i18n*/ "It is too early to continue.",
  /*i18n*/ "Keeps the pole upright and the cart in the middle.",
  /*i18n*/ "New games cannot start: recordings are not being uploaded. Try again later.",
  /*i18n*/ "Only researchers judge these clips. Ask the operator for the role, then sign in again.",
  /*i18n*/ "Puts each piece where it leaves the flattest well without holes.",
  /*i18n*/ "Solves the tower in the fewest moves.",
  /*i18n*/ "Sound is needed.",
  /*i18n*/ "Take a break: the next game starts in {seconds} s.",
  /*i18n*/ "The agent has failed, so you play on alone. Everything that was played is saved.",
  /*i18n*/ "The clip could not be made because of an error in the server. Choose another format or fewer frames.",
  /*i18n*/ "The connection is too slow.",
  /*i18n*/ "The daily challenge has no options. Open it from the list of games.",
  /*i18n*/ "The daily challenge is recorded. Allow recording first: you can change your answer at You.",
  /*i18n*/ "The database is unavailable. Try again in a moment.",
  /*i18n*/ "The download was cancelled. Start it again.",
  /*i18n*/ "The episode to race does not exist any more. Open the game without it.",
  /*i18n*/ "The export failed because of an error in the server. Start it again.",
  /*i18n*/ "The game could not be started. Try again in a moment.",
  /*i18n*/ "The game ended because the recording disk is full. Everything you played is saved.",
  /*i18n*/ "The keyboard must report {count} keys at once.",
  /*i18n*/ "The last game is still being saved. Try again in a moment.",
  /*i18n*/ "The measures of the device are malformed. Reload the page.",
  /*i18n*/ "The note is empty. Choose a tag or write a text.",
  /*i18n*/ "The object store is unavailable. Try again in a moment.",
  /*i18n*/ "The refresh rate of this screen does not fit.",
  /*i18n*/ "The server is busy with other downloads. Try again in a few minutes.",
  /*i18n*/ "The server is making other clips. Try again in a moment.",
  /*i18n*/ "The server of your game stopped. The last seconds that you saw were not stored; the game continues before them.",
  /*i18n*/ "The text has changed meanwhile. Reload the page and read it again.",
  /*i18n*/ "The time to continue is over.",
  /*i18n*/ "There is no game to play in this part of the study. Reload the page.",
  /*i18n*/ "There is no study {name}. Check the address.",
  /*i18n*/ "This account does not exist any more. Sign in again.",
  /*i18n*/ "This daily challenge is over. Open today's from the list of games.",
  /*i18n*/ "This download has been deleted. Request a new one.",
  /*i18n*/ "This episode has no stored frames yet. Try again in a moment.",
  /*i18n*/ "This link belongs to no participant of the study, or everything of them was deleted.",
  /*i18n*/ "This name is reserved. Choose another one.",
  /*i18n*/ "This server cannot make clips of this format. Choose another one.",
  /*i18n*/ "This session does not take part in the study, or the consent was withdrawn. Open the study's link again.",
  /*i18n*/ "This set of clips is closed, and takes no more answers.",
  /*i18n*/ "This study has all the participants that it needs. Thank you for your interest.",
  /*i18n*/ "This study takes no new participants now.",
  /*i18n*/ "Touches nothing.",
  /*i18n*/ "Unknown scopes. Reload the page.",
  /*i18n*/ "With this session you take part in a study, in which only its own games are played. Sign in to play others.",
  /*i18n*/ "Without research nothing can be recorded. Tick it, or do not take part.",
  /*i18n*/ "You already have a download in progress. Wait until it is finished, or cancel it.",
  /*i18n*/ "You do not allow recording, and this arcade has no games without it. You can change your answer at You.",
  /*i18n*/ "You have had your try today: the first one counts. There is a new one tomorrow.",
  /*i18n*/ "You have opened too many games in a short time. {retry}",
  /*i18n*/ "You take part in no study with this session. Open the study's link again.",
  /*i18n*/ "You were signed out. Sign in again.",
  /*i18n*/ "Your connection was closed for a protocol violation. {retry}",
  /*i18n*/ "Your game could not be moved to another server, and has ended. Everything you played is saved.",
  /*i18n*/ "Your games cannot be recorded. If you have given a wrong year, ask the people who run this arcade.",
  /*i18n*/ "Your previous download is still being prepared. Wait until it is finished.",
  /*i18n*/ "{count} of your answers were wrong. Read the pages again.",
];
/** The sentence of a rate limit, inside of other texts. */
const RETRY = /^Try again in (\d+) seconds?\.$/;
const PLACEHOLDER = /\{(\w+)\}/g;

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Texts with placeholders, with the pattern that finds their values. */
const patterns = SERVER_TEXTS.filter((text) => text.includes("{")).map((text) => {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name ?? "");
  const parts = text.split(PLACEHOLDER).filter((_, index) => index % 2 === 0);
  return { text, names, pattern: new RegExp(`^${parts.map(escapePattern).join("(.+)")}$`) };
});

/** Returns a text of the server in the page's language, or null if the catalogue lacks it. */
function findTranslation(text: string): string | null {
  if (i18n.messages[text] !== undefined) return i18n._(text);
  const retry = RETRY.exec(text);
  if (retry !== null)
    return i18n._("Try again in {seconds, plural, one {# second} other {# seconds}}.", {
      seconds: Number(retry[1]),
    });
  for (const { text: id, names, pattern } of patterns) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const values: Record<string, string> = {};
    for (const [index, name] of names.entries()) {
      const value = found[index + 1] ?? "";
      values[name] = findTranslation(value) ?? value;
    }
    return i18n._(id, values);
  }
  return null;
}

/**
 * Returns a text that the server has written in the page's language. A text that the catalogue
 * lacks is replaced by `general`, the id of a text of the same kind of error, or stays in English.
 */
export function translateServerText(text: string, general = ""): string {
  if (i18n.locale === "en" || text === "") return text;
  const whole = findTranslation(text);
  if (whole !== null) return whole;
  // Several sentences, such as all that a device lacks.
  const sentences = text.split(/(?<=[.!?]) /).map(findTranslation);
  if (sentences.every((sentence) => sentence !== null)) return sentences.join(" ");
  return general === "" ? text : i18n._(general);
}

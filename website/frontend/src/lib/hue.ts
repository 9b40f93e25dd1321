const HUES = ["tomato", "tangerine", "marigold", "teal", "sky", "pink"] as const;

/** A game's own colour, always the same: a CSS colour that dark text reads well on. */
export function hueOf(gameId: string): string {
  let sum = 0;
  for (const letter of gameId) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return `var(--${HUES[sum % HUES.length] ?? "marigold"})`;
}

const HUES = ["tomato", "tangerine", "marigold", "teal", "sky", "pink"] as const;

/** Returns a fixed CSS colour for a game on which dark text is readable. */
export function hueFor(gameId: string): string {
  let hash = 0x811c9dc5;
  for (const letter of gameId) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return `var(--${HUES[(hash >>> 8) % HUES.length] ?? "marigold"})`;
}

/** Paths of the pages. */
export const paths = {
  games: "/",
  play: (gameId: string) => `/play/${encodeURIComponent(gameId)}`,
  account: "/you",
  /** Exports for researchers. */
  research: "/research",
  /** Sign-in that upgrades a guest to an account of the same player. */
  upgradeGuest: "/sign-in?keep=1&next=%2Fyou",
  signIn: (next?: string) =>
    next === undefined ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`,
};

/** Addresses of the pages. */
export const paths = {
  games: "/",
  play: (gameId: string) => `/play/${encodeURIComponent(gameId)}`,
  account: "/you",
  /** What researchers take away. */
  research: "/research",
  /** Where a guest becomes somebody with an account, and stays the same player. */
  upgradeGuest: "/sign-in?keep=1&next=%2Fyou",
  signIn: (next?: string) =>
    next === undefined ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`,
};

/** Addresses of the pages. */
export const paths = {
  games: "/",
  play: (gameId: string) => `/play/${encodeURIComponent(gameId)}`,
  you: "/you",
  signIn: (next?: string) =>
    next === undefined ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`,
};

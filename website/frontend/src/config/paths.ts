const shareFragment = (token: string | null) =>
  token === null ? "" : `#share=${encodeURIComponent(token)}`;

/** Paths of the pages. */
export const paths = {
  games: "/",
  /** `options` are those to play with. */
  play: (gameId: string, options: Readonly<Record<string, string>> = {}) => {
    const query = new URLSearchParams(options).toString();
    return `/play/${encodeURIComponent(gameId)}${query === "" ? "" : `?${query}`}`;
  },
  /** The one try of a day's challenge. */
  playDaily: (gameId: string, day: string) => `/play/${encodeURIComponent(gameId)}?daily=${day}`,
  boards: "/boards",
  /** `settings` are options as name=value, joined by &. */
  board: (gameId: string, settings = "", season?: string) => {
    const query = new URLSearchParams({
      ...(settings === "" ? {} : { settings }),
      ...(season === undefined ? {} : { season }),
    }).toString();
    return `/boards/${encodeURIComponent(gameId)}${query === "" ? "" : `?${query}`}`;
  },
  daily: "/daily",
  /** A game in which an episode is shown as a ghost. The token of a shared one is in the fragment. */
  race: (gameId: string, episodeId: string, shareToken: string | null) =>
    `/play/${encodeURIComponent(gameId)}?ghost=${encodeURIComponent(episodeId)}` +
    shareFragment(shareToken),
  /** A game that begins at a frame of an episode. The token of a shared one is in the fragment. */
  branch: (gameId: string, episodeId: string, frame: number, shareToken: string | null) =>
    `/play/${encodeURIComponent(gameId)}?branch=${encodeURIComponent(episodeId)}` +
    `&frame=${String(frame)}${shareFragment(shareToken)}`,
  /** A game that an agent plays until the player takes over. */
  takeover: (gameId: string, agent: string) =>
    `/play/${encodeURIComponent(gameId)}?agent=${encodeURIComponent(agent)}`,
  replay: (episodeId: string) => `/replay/${encodeURIComponent(episodeId)}`,
  replayFrame: (episodeId: string, frame: number, shareToken: string | null = null) =>
    `/replay/${encodeURIComponent(episodeId)}?f=${String(frame)}${shareFragment(shareToken)}`,
  /** Live picture of a game. The token is in the fragment, which servers do not get. */
  watch: (token: string) => `/watch#${token}`,
  /** A participant's own link to a study. The token is in the fragment. */
  study: (name: string, resume: string) => `/study/${encodeURIComponent(name)}#resume=${resume}`,
  /** Clips that a judge compares or rates. */
  judge: (name: string) => `/judge/${encodeURIComponent(name)}`,
  account: "/you",
  /** Asks what may be recorded, then opens `next`. */
  consent: (next: string) => `/consent?next=${encodeURIComponent(next)}`,
  /** Exports for researchers. */
  research: "/research",
  /** Sign-in that upgrades a guest to an account of the same player. */
  upgradeGuest: "/sign-in?keep=1&next=%2Fyou",
  signIn: (next?: string) =>
    next === undefined ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`,
};

/** Writes options as the address of a leaderboard does: name=value, sorted and joined by &. */
export const writeOptions = (options: Readonly<Record<string, string>>): string =>
  Object.keys(options)
    .sort()
    .map((name) => `${name}=${options[name] ?? ""}`)
    .join("&");

/** What `/first.js` asked for while the page's own script was on its way. */
interface First {
  config?: Promise<Response>;
  games?: Promise<{ address: string; answer: Response }>;
}

/** Takes the one answer that there may be; null: there is none, or it went wrong, and one asks oneself. */
async function take<Name extends keyof First>(
  name: Name,
): Promise<Awaited<NonNullable<First[Name]>> | null> {
  const first = (globalThis as { skillArcadeFirst?: First }).skillArcadeFirst;
  const asked = first?.[name] as Promise<Awaited<NonNullable<First[Name]>>> | undefined;
  delete first?.[name];
  return asked?.catch(() => null) ?? null;
}

/** The answer of `/config.json`. */
export const takeConfig = (): Promise<Response | null> => take("config");

/** The answer of this address, if it is that of the games. */
export async function takeGames(address: string): Promise<Response | null> {
  const games = await take("games");
  return games?.address === address && games.answer.ok ? games.answer : null;
}

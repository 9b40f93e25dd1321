/** What `/first.js` asked for while the page's own script was on its way. */
interface EarlyResponses {
  config?: Promise<Response>;
  games?: Promise<{ address: string; answer: Response }>;
}

/** Takes the one answer that there may be; null: there is none, or it went wrong, and one asks oneself. */
async function consumeEarlyResponse<Name extends keyof EarlyResponses>(
  name: Name,
): Promise<Awaited<NonNullable<EarlyResponses[Name]>> | null> {
  const early = (globalThis as { skillArcadeBootstrap?: EarlyResponses }).skillArcadeBootstrap;
  const response = early?.[name] as Promise<Awaited<NonNullable<EarlyResponses[Name]>>> | undefined;
  delete early?.[name];
  return response?.catch(() => null) ?? null;
}

/** The answer of `/config.json`. */
export const consumeConfigResponse = (): Promise<Response | null> => consumeEarlyResponse("config");

/** The answer of this address, if it is that of the games. */
export async function consumeGamesResponse(address: string): Promise<Response | null> {
  const games = await consumeEarlyResponse("games");
  return games?.address === address && games.answer.ok ? games.answer : null;
}

/** Responses that `/bootstrap.js` requested while the page's script was loading. */
interface EarlyResponses {
  config?: Promise<Response>;
  games?: Promise<{ address: string; answer: Response }>;
}

/**
 * Returns an early response once. null if there is none or it failed; the caller then sends its own
 * request.
 */
async function consumeEarlyResponse<Name extends keyof EarlyResponses>(
  name: Name,
): Promise<Awaited<NonNullable<EarlyResponses[Name]>> | null> {
  const early = (globalThis as { skillArcadeBootstrap?: EarlyResponses }).skillArcadeBootstrap;
  const response = early?.[name] as Promise<Awaited<NonNullable<EarlyResponses[Name]>>> | undefined;
  delete early?.[name];
  return response?.catch(() => null) ?? null;
}

/** Returns the early response of `/config.json`. */
export const consumeConfigResponse = (): Promise<Response | null> => consumeEarlyResponse("config");

/** Returns the early response of the list of games if it has this address. */
export async function consumeGamesResponse(address: string): Promise<Response | null> {
  const games = await consumeEarlyResponse("games");
  return games?.address === address && games.answer.ok ? games.answer : null;
}

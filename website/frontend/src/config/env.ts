import { consumeConfigResponse } from "./bootstrap";

/** Origins of the back end. */
export interface Env {
  /** Origin for HTTP, without a trailing slash. */
  http: string;
  /** Origin for the play socket, without a trailing slash. */
  socket: string;
  /** URL of the list of games: of the back end, or of a file beside the page. */
  games: string;
}

const HOSTNAME_VARIABLE = "VITE_PUBLIC_WEBSITE_HOSTNAME";

/**
 * Reads the build-time setting. If it is unset, the back end is the origin of the page. @throws
 * Error if the setting is invalid.
 */
export function parseEnv(values: Record<string, unknown>, origin: string): Env {
  const given = values[HOSTNAME_VARIABLE];
  if (given === undefined || given === "") return toEnv(new URL(origin));
  if (typeof given !== "string") throw new Error(`${HOSTNAME_VARIABLE} must be text.`);
  return toEnv(parseHost(given.trim()));
}

function parseHost(text: string): URL {
  const plain = /^(localhost|127\.|\[::1\])/.test(text) ? "http" : "https";
  const address = /^https?:\/\//.test(text) ? text : `${plain}://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new Error(
      `${HOSTNAME_VARIABLE} is "${text}"; it must be a host such as "arcade.example.org" or "localhost:8080".`,
    );
  }
  return url;
}

function toEnv(url: URL): Env {
  return {
    http: url.origin,
    socket: url.origin.replace(/^http/, "ws"),
    games: `${url.origin}/games`,
  };
}

/**
 * Reads /config.json, which the deployment writes. One build serves all environments. @throws Error
 * if it is invalid.
 */
export function parseConfig(config: unknown, origin: string): Env {
  const given = typeof config === "object" && config !== null ? config : {};
  const { apiUrl, socketUrl, gamesUrl } = given as Record<string, unknown>;
  if (apiUrl === null) return toEnv(new URL(origin));
  const env = toEnv(parseConfigUrl("apiUrl", apiUrl));
  if (typeof gamesUrl === "string") env.games = new URL(gamesUrl, origin).href;
  return socketUrl === undefined
    ? env
    : { ...env, socket: parseConfigUrl("socketUrl", socketUrl).origin };
}

function parseConfigUrl(name: string, value: unknown): URL {
  if (typeof value !== "string" || !URL.canParse(value))
    throw new Error(`/config.json has no valid ${name}. Ask the operator of this site.`);
  return new URL(value);
}

let cachedEnv: Env | null = null;

/**
 * Determines the back end's origins: from the build in development, otherwise from /config.json.
 * @throws Error with a message for the user.
 */
export async function loadEnv(): Promise<Env> {
  const buildHostname = import.meta.env[HOSTNAME_VARIABLE] as unknown;
  const hasBuildHostname = typeof buildHostname === "string" && buildHostname !== "";
  cachedEnv = hasBuildHostname
    ? parseEnv(import.meta.env, location.origin)
    : parseConfig(await fetchConfig(), location.origin);
  return cachedEnv;
}

async function fetchConfig(): Promise<unknown> {
  const response =
    (await consumeConfigResponse()) ?? (await fetch("/config.json").catch(() => null));
  if (response === null)
    throw new Error("The server does not respond. Check your connection and reload the page.");
  if (!response.ok)
    throw new Error(
      `/config.json failed with status ${response.status}. Reload the page in a minute.`,
    );
  return (await response.json().catch(() => null)) as unknown;
}

/** Returns the back end's origins. Throws like parseEnv. */
export function getEnv(): Env {
  cachedEnv ??= parseEnv(import.meta.env, location.origin);
  return cachedEnv;
}

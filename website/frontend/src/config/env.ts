import { consumeConfigResponse } from "./bootstrap";

/** Where the back end answers. */
export interface Env {
  /** Origin of HTTP, without a slash at the end. */
  http: string;
  /** Origin of the play socket, without a slash at the end. */
  socket: string;
}

const HOSTNAME_VARIABLE = "VITE_PUBLIC_WEBSITE_HOSTNAME";

/**
 * Reads the settings that were built into the page. Unset: the back end that served the page.
 *
 * @throws Error that says what to write instead.
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
  return { http: url.origin, socket: url.origin.replace(/^http/, "ws") };
}

/**
 * Reads what the deploy says of this environment; one build serves them all.
 *
 * @throws Error that says what is wrong with it.
 */
export function parseConfig(config: unknown, origin: string): Env {
  const given = typeof config === "object" && config !== null ? config : {};
  const { apiUrl, socketUrl } = given as Record<string, unknown>;
  if (apiUrl === null) return toEnv(new URL(origin));
  const env = toEnv(parseConfigUrl("apiUrl", apiUrl));
  return socketUrl === undefined
    ? env
    : { ...env, socket: parseConfigUrl("socketUrl", socketUrl).origin };
}

function parseConfigUrl(name: string, value: unknown): URL {
  if (typeof value !== "string" || !URL.canParse(value))
    throw new Error(`/config.json does not say where the server is (${name}).`);
  return new URL(value);
}

let cachedEnv: Env | null = null;

/**
 * Finds out where the back end is: a development build was told, any other asks the site that it came from.
 *
 * @throws Error for people: it is not known, and what to do.
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
  if (response === null) throw new Error("The server does not answer. Reload in a moment.");
  if (!response.ok) throw new Error(`/config.json answers ${response.status}. Reload in a moment.`);
  return (await response.json().catch(() => null)) as unknown;
}

/** Where the back end is. Throws as parseEnv does. */
export function getEnv(): Env {
  cachedEnv ??= parseEnv(import.meta.env, location.origin);
  return cachedEnv;
}

import { takeConfig } from "./first";

/** Where the back end answers. */
export interface Env {
  /** Origin of HTTP, without a slash at the end. */
  http: string;
  /** Origin of the play socket, without a slash at the end. */
  socket: string;
}

const NAME = "VITE_PUBLIC_WEBSITE_HOSTNAME";

/**
 * Reads the settings that were built into the page. Unset: the back end that served the page.
 *
 * @throws Error that says what to write instead.
 */
export function parseEnv(values: Record<string, unknown>, origin: string): Env {
  const given = values[NAME];
  if (given === undefined || given === "") return toEnv(new URL(origin));
  if (typeof given !== "string") throw new Error(`${NAME} must be text.`);
  return toEnv(parseHost(given.trim()));
}

function parseHost(text: string): URL {
  const plain = /^(localhost|127\.|\[::1\])/.test(text) ? "http" : "https";
  const address = /^https?:\/\//.test(text) ? text : `${plain}://${text}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new Error(
      `${NAME} is "${text}"; it must be a host such as "arcade.example.org" or "localhost:8080".`,
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
  const env = toEnv(parsePlace("apiUrl", apiUrl));
  return socketUrl === undefined
    ? env
    : { ...env, socket: parsePlace("socketUrl", socketUrl).origin };
}

function parsePlace(name: string, value: unknown): URL {
  if (typeof value !== "string" || !URL.canParse(value))
    throw new Error(`/config.json does not say where the server is (${name}).`);
  return new URL(value);
}

let known: Env | null = null;

/**
 * Finds out where the back end is: a development build was told, any other asks the site that it came from.
 *
 * @throws Error for people: it is not known, and what to do.
 */
export async function loadEnv(): Promise<Env> {
  const told = import.meta.env[NAME] as unknown;
  const isTold = typeof told === "string" && told !== "";
  known = isTold
    ? parseEnv(import.meta.env, location.origin)
    : parseConfig(await fetchConfig(), location.origin);
  return known;
}

async function fetchConfig(): Promise<unknown> {
  const response = (await takeConfig()) ?? (await fetch("/config.json").catch(() => null));
  if (response === null) throw new Error("The server does not answer. Reload in a moment.");
  if (!response.ok) throw new Error(`/config.json answers ${response.status}. Reload in a moment.`);
  return (await response.json().catch(() => null)) as unknown;
}

/** Where the back end is. Throws as parseEnv does. */
export function getEnv(): Env {
  known ??= parseEnv(import.meta.env, location.origin);
  return known;
}

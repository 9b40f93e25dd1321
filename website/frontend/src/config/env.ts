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

let known: Env | null = null;

/** The settings of this page, read once. Throws as parseEnv does. */
export function getEnv(): Env {
  known ??= parseEnv(import.meta.env, location.origin);
  return known;
}

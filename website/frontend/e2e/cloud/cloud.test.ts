// Page on Firebase Hosting, server on another origin, and sign-in by Firebase, as in production.
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type TestServer, findPort, startServer } from "../support/server";
import {
  saveScreenshot,
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  type Visit,
} from "../support/browser";
import { type Emulator, PROJECT, startEmulator } from "./emulator";
import { type Hosting, serveHosting } from "./hosting";

const CLIENT = "12-arcade.apps.googleusercontent.com";

let server: TestServer;
let browser: Browser;
let emulator: Emulator;
let hosting: Hosting;
let visit: Visit;

beforeAll(async () => {
  const port = await findPort();
  [browser, emulator] = await Promise.all([openBrowser(), startEmulator()]);
  server = await startServer(`${OUTPUT_FOLDER}cloud.log`, {
    AUTH_METHOD: "firebase",
    FIREBASE_PROJECT_ID: PROJECT,
    FIREBASE_API_KEY: "public-key",
    FIREBASE_GOOGLE_CLIENT_ID: CLIENT,
    FIREBASE_AUTH_EMULATOR_HOST: emulator.host,
    CORS_ORIGINS: `http://127.0.0.1:${port}`,
  });
  hosting = await serveHosting(port, server.url);
});

beforeEach(async () => {
  visit = await openVisit(browser, hosting.url);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
  await visit.context.close();
});

afterAll(async () => {
  await browser.close();
  await hosting.close();
  const { code } = await server.stop();
  await emulator.stop();
  expect(code).toBe(0);
});

interface Session {
  token: string;
  email: string | null;
  userId: string;
}

/** Returns the signed-in user according to the page. */
const readSession = async (page: Page): Promise<Session | null> => {
  const text = await page.evaluate(() => localStorage.getItem("skill-arcade.session"));
  return text === null ? null : (JSON.parse(text) as Session);
};

/** Returns the signed-in user according to the server. */
async function askServer({ token }: Session): Promise<{ user_id: string; email: string | null }> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/auth/me`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { user_id: string; email: string | null };
}

async function waitForSession(page: Page): Promise<Session> {
  await page.waitForFunction(() => localStorage.getItem("skill-arcade.session") !== null);
  const session = await readSession(page);
  if (session === null) throw new Error("nobody is signed in");
  return session;
}

async function enterAsGuest(page: Page): Promise<Session> {
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Play as guest" }).click();
  return waitForSession(page);
}

/** Requests a sign-in link and opens it. */
async function enterByMail(page: Page, email: string, start = "/sign-in"): Promise<string> {
  await page.goto(start);
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "E-mail me a link" }).click();
  await page.getByText("A sign-in link was sent").waitFor();
  const link = await emulator.mailedLink(email);
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  return link;
}

/** Fake of Google's sign-in page: redirects back with a token that contains `claims`. */
async function beGoogle(page: Page, claims: object, state?: string): Promise<void> {
  await page.context().route("https://accounts.google.com/**", (route: Route) => {
    const asked = new URL(route.request().url()).searchParams;
    expect(asked.get("client_id")).toBe(CLIENT);
    const defaultClaims = {
      iss: "https://accounts.google.com",
      aud: CLIENT,
      nonce: asked.get("nonce"),
    };
    const parts = [{ alg: "none" }, { ...defaultClaims, ...claims }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const answer = new URLSearchParams({
      state: state ?? asked.get("state") ?? "",
      id_token: `${parts.join(".")}.`,
    });
    const location = `${asked.get("redirect_uri") ?? ""}#${answer.toString()}`;
    return route.fulfill({ status: 302, headers: { location } });
  });
}

describe("hosting", () => {
  const ask = (path: string) => fetch(hosting.url + path, { redirect: "manual" });

  test.each(["/", "/play/breakout", "/you", "/sign-in"])("%s serves the page", async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('<div id="root">');
    expect(answer.headers.get("cache-control")).toBe("no-cache");
  });

  test("hashed assets are cached as immutable, and missing files are 404", async () => {
    const html = await (await ask("/")).text();
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(html) ?? [];
    const answer = await ask(script ?? "");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(answer.headers.get("content-type")).toContain("javascript");
    expect((await ask("/assets/gone-12345678.js")).status).toBe(404);
    expect((await ask("/robots.php")).status).toBe(404);
  });

  test("/config.json names the server and is not cached", async () => {
    const answer = await ask("/config.json");
    expect(await answer.json()).toEqual({ apiUrl: server.url, release: "test" });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test.each(["/", "/you", "/config.json", "/assets/gone.js"])(
    "%s has the security headers",
    async (path) => {
      const { headers } = await ask(path);
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    },
  );
});

describe("sign-in", () => {
  test("guest plays on a cross-origin isolated page", async () => {
    const { page, errors } = visit;
    const session = await enterAsGuest(page);
    expect(session.email).toBeNull();
    expect(await askServer(session)).toMatchObject({ user_id: session.userId, email: null });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const cover = page.locator("main img").first();
    await cover.waitFor();
    await page.waitForFunction(() => {
      const image = document.querySelector<HTMLImageElement>("main img");
      return (image?.naturalWidth ?? 0) > 0;
    });
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-phase="playing"]');
    expect(errors).toEqual([]);
  });

  test("guest who adds an e-mail keeps the account", async () => {
    const { page, errors } = visit;
    const guest = await enterAsGuest(page);
    await page.goto("/you");
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.waitForURL(/\/sign-in\?keep=1/u);
    await enterByMail(page, "grace@example.org", page.url());
    await page.getByText("grace@example.org", { exact: true }).waitFor();
    const session = await waitForSession(page);
    expect(session.email).toBe("grace@example.org");
    expect(session.userId).toBe(guest.userId);
    expect(await askServer(session)).toMatchObject({ email: "grace@example.org" });
    expect(page.url()).toBe(`${hosting.url}/you`);
    expect(errors).toEqual([]);
  });

  test("e-mail link signs in once", async () => {
    const { page } = visit;
    const link = await enterByMail(page, "hedy@example.org", "/sign-in?next=%2Fyou");
    await page.getByText("hedy@example.org", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.goto(link);
    await page.getByLabel("E-mail").fill("hedy@example.org");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This link has expired").waitFor();
    expect(await readSession(page)).toBeNull();
  });

  test("signing out removes the account from the browser", async () => {
    const { page } = visit;
    await enterByMail(page, "ida@example.org");
    await waitForSession(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForFunction(() => localStorage.getItem("skill-arcade.firebase") === null);
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Play as guest" }).waitFor();
    expect(await page.getByText("Go on as").count()).toBe(0);
  });

  test("expired session continues with the remembered account", async () => {
    const { page } = visit;
    await enterByMail(page, "jean@example.org");
    const { userId } = await waitForSession(page);
    await page.evaluate(() => localStorage.removeItem("skill-arcade.session"));
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Continue as jean@example.org" }).click();
    expect((await waitForSession(page)).userId).toBe(userId);
  });

  test("Google sign-in returns to the requested page", async () => {
    const { page, errors } = visit;
    await beGoogle(page, { sub: "7", email: "Katherine@gmail.com", email_verified: true });
    await page.goto("/you");
    await page.getByRole("button", { name: "Sign in with Google" }).click();
    const session = await waitForSession(page);
    await page.waitForURL("/you");
    expect(session.email).toBe("katherine@gmail.com");
    expect(await askServer(session)).toMatchObject({ email: "katherine@gmail.com" });
    expect(errors).toEqual([]);
  });

  test("guest who signs in with Google keeps the account", async () => {
    const { page } = visit;
    const guest = await enterAsGuest(page);
    await beGoogle(page, { sub: "8", email: "lise@gmail.com", email_verified: true });
    await page.goto("/sign-in?keep=1&next=%2Fyou");
    await page.getByRole("button", { name: "Sign in with Google" }).click();
    await page.getByText("lise@gmail.com", { exact: true }).waitFor();
    expect(await waitForSession(page)).toMatchObject({
      userId: guest.userId,
      email: "lise@gmail.com",
    });
  });

  test("Google response with another state is rejected", async () => {
    const { page } = visit;
    await beGoogle(page, { sub: "9", email: "mallory@gmail.com", email_verified: true }, "other");
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "Sign in with Google" }).click();
    await page.getByText("does not match this sign-in").waitFor();
    expect(await readSession(page)).toBeNull();
    expect(page.url()).toBe(`${hosting.url}/sign-in`);
  });
});

import type { Page } from "playwright-core";

/** Signs in, and waits until the page has left the form. `next` is the path to open then. */
export async function signIn(page: Page, email: string, next = "/"): Promise<void> {
  await page.goto(next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(({ pathname }) => pathname !== "/sign-in");
}

// @vitest-environment happy-dom
// The pages of a study in German. The server's answers are made up; its texts are never translated.
import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { JoinedStudy, StudyPage, StudyStage } from "@/api/studies";
import { StudyRoute } from "@/app/routes/study";
import { activateWantedLanguage } from "@/lib/language";

import { renderWithTexts } from "../support/render-with-texts";

const consent = (language: string): StudyStage => ({
  kind: "consent",
  name: "consent",
  language,
  languages: ["en", "de"],
  title: language === "de" ? "Teilnahme" : "Taking part",
  sections: [{ title: "What", text: "We record." }],
  scopes: ["research"],
  age: "In which year were you born?",
  agree: "I agree",
  decline: "I decline",
  sha256: language,
});

const RETURN: StudyStage = {
  kind: "return",
  name: "return",
  text: "See you.",
  not_before: "2030-01-07T08:00:00Z",
  not_after: "2030-01-08T08:00:00Z",
  is_due: false,
};

const pageOf = (stage: StudyStage | null, change: Partial<StudyPage> = {}): StudyPage => ({
  study: {
    name: "towers",
    title: "Towers",
    contact: "lab@example.org",
    ethics: "",
    payment: { amount: 2.5, currency: "EUR", minutes: 20 },
  },
  stage,
  number: 0,
  n_stages: 3,
  completion: null,
  is_saving: false,
  message: "",
  ...change,
});

/** Opens the page of a study. Returns the paths that were requested. */
async function openStudy(answer: (language: string) => StudyPage): Promise<string[]> {
  await activateWantedLanguage();
  const paths: string[] = [];
  vi.stubGlobal("fetch", (address: string) => {
    const { pathname, search, searchParams } = new URL(address, location.origin);
    paths.push(pathname + search);
    const page = answer(searchParams.get("language") ?? "");
    const joined = { token: "t", user_id: "u", expires_at: "2040-01-01T00:00:00Z", resume: null };
    const body = pathname.endsWith("/participants") ? ({ ...joined, page } as JoinedStudy) : page;
    return Promise.resolve(Response.json(body));
  });
  const router = createMemoryRouter([{ path: "/study/:name", element: <StudyRoute /> }], {
    initialEntries: ["/study/towers"],
  });
  renderWithTexts(<RouterProvider router={router} />);
  return paths;
}

const useBrowserLanguages = (...tags: string[]) =>
  vi.spyOn(navigator, "languages", "get").mockReturnValue(tags);

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("study of a German browser is in German, with German dates and amounts", async () => {
  useBrowserLanguages("de-DE");
  await openStudy(() => pageOf(RETURN));
  await screen.findByRole("heading", { name: "Kommen Sie später wieder" });
  expect(document.documentElement.lang).toBe("de");
  expect(screen.getByText("Teil 1 von 3")).toBeDefined();
  expect(screen.getByText(/^Montag, 7\. Januar 2030/)).toBeDefined();
  expect(screen.getByText("Vergütung: 2,50 € für etwa 20 Minuten")).toBeDefined();
  expect(screen.getByRole("button", { name: "Teilnahme widerrufen" })).toBeDefined();
  expect(screen.getByText("See you.")).toBeDefined();
});

test("language that is chosen on the consent page changes the page and the requests", async () => {
  useBrowserLanguages("en-US");
  const paths = await openStudy((language) => pageOf(consent(language === "de" ? "de" : "en")));
  await screen.findByRole("heading", { name: "Taking part" });
  expect(screen.getByRole("checkbox", { name: "Use for this research" })).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Deutsch" }));
  await screen.findByRole("heading", { name: "Teilnahme" });
  expect(screen.getByRole("checkbox", { name: "Nutzung für diese Forschung" })).toBeDefined();
  expect(screen.getByRole("button", { name: "I agree" })).toBeDefined();
  expect(paths).toEqual(["/studies/participants?language=en-US", "/studies/me?language=de"]);
});

test("study that has ended says so in German", async () => {
  useBrowserLanguages("de");
  const completion = { outcome: "full", code: null, url: null } as const;
  await openStudy(() => pageOf(null, { completion }));
  await screen.findByRole("heading", { name: "Die Studie ist voll" });
});

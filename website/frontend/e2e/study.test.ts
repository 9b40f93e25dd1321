// A participant walks through the shipped study by browser, also on another device, and withdraws. A
// recruiter's participant is sent back once, after everything is stored. A German participant reads
// German.
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import {
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  saveScreenshot,
  type Visit,
} from "./support/browser";
import { createScenario } from "./support/scenario";
import { startServer, type TestServer } from "./support/server";
import {
  heading,
  press,
  lookAtStudy,
  playHanoi,
  runStudies,
  solveHanoi,
  holdTwoKeys,
} from "./support/studies";

const RECRUITED = `
title: Recruited
contact: recruited@example.org
recruiter: {kind: prolific}
quota: 5
stages:
  - kind: consent
    languages:
      en: {title: Consent, sections: [{title: What, text: We record.}], agree: "I agree", decline: "I decline"}
      de: {title: Einwilligung, sections: [{title: Was, text: Wir zeichnen auf.}], agree: "Ich stimme zu", decline: "Ich lehne ab"}
  - {kind: screening, keyboard: true, rollover_keys: 2}
  - {kind: games, name: tower, game: tower-of-hanoi, amount: {trials: 1}}
`;
const step = createScenario(300_000);

let server: TestServer;
let browser: Browser;
let visit: Visit;
let ownLink = "";
let disks = 0;

beforeAll(async () => {
  browser = await openBrowser({ consents: false });
  server = await startServer(`${OUTPUT_FOLDER}study.log`, {}, ["--no-lockstep"]);
  visit = await openVisit(browser, server.url);
  await runStudies(server.data, "open", "hanoi-planning");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

step("the consent of a study asks with nothing ticked", async () => {
  const { page } = visit;
  await page.goto("/study/hanoi-planning");
  await heading(page, "Taking part in a study").waitFor();
  expect(await page.getByRole("checkbox", { checked: true }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Take part", exact: true }).isDisabled()).toBe(
    true,
  );
  await lookAtStudy(page, "consent");
  ownLink = await page.getByTestId("own-link").inputValue();
  await page.getByLabel("Use for this research").check();
  await page.getByLabel("In which year were you born?").fill("1985");
  await press(page, "Take part");
});

step("a questionnaire names what is missing", async () => {
  const { page } = visit;
  await heading(page, "About you").waitFor();
  await press(page, "Continue");
  await page.getByRole("alert").waitFor();
  await lookAtStudy(page, "questions");
  await page.getByLabel("Never").check();
  await page.getByLabel("How old are you?").fill("40");
  await press(page, "Continue");
});

step("a comprehension check is repeated after a wrong answer", async () => {
  const { page } = visit;
  await heading(page, "Instructions").waitFor();
  await lookAtStudy(page, "instructions");
  for (const answer of ["On any other disk", "On a larger disk or an empty pole"]) {
    await press(page, "Next");
    await page.getByLabel(answer).check();
    await press(page, "Continue");
    if (answer === "On any other disk") await page.getByText("were wrong").waitFor();
  }
});

step("a reload during a game continues it", async () => {
  const { page } = visit;
  await page.waitForSelector('[data-phase="ready"]');
  await lookAtStudy(page, "game");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await page.keyboard.press("Digit1");
  await page.keyboard.press("Digit2");
  await page.reload();
  await page.getByText("Reconnected. Your game was paused meanwhile.").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await page.keyboard.press("Digit2");
  await page.keyboard.press("Digit1");
  const output = await runStudies(server.data, "status", "hanoi-planning");
  disks = /\bfour\b/.test(output) ? 4 : 3;
  for (const pole of solveHanoi(disks)) await page.keyboard.press(`Digit${String(pole)}`);
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
  await lookAtStudy(page, "ended");
  await page.setViewportSize({ width: 1280, height: 800 });
  await press(page, "Continue");
  await page.getByText("Practice. Game 2 of 2").first().waitFor();
});

step("another device continues by the participant's own link", async () => {
  const other = await openVisit(browser, server.url);
  await visit.context.close();
  visit = other;
  const { page } = visit;
  await page.goto(ownLink);
  await page.getByText("Practice. Game 2 of 2").first().waitFor();
  await playHanoi(page, disks);
  await press(page, "Continue");
  await page.getByText("The tower has five disks now.").waitFor();
  await playHanoi(page, 5);
  await press(page, "Continue");
});

step("the last questions and the debrief lead to the end", async () => {
  const { page } = visit;
  await heading(page, "The last puzzle").waitFor();
  await lookAtStudy(page, "workload");
  for (const slider of await page.getByRole("slider").all()) {
    await slider.focus();
    await slider.press("ArrowRight");
  }
  await page.getByRole("radio", { name: "2", exact: true }).check();
  await page.getByRole("radio", { name: "blue", exact: true }).check();
  await press(page, "Continue");
  await heading(page, "Thank you").waitFor();
  await lookAtStudy(page, "debrief");
  await press(page, "Finish");
  await page.waitForSelector('[data-testid="completion"][data-outcome="complete"]');
  await lookAtStudy(page, "complete");
  expect(await runStudies(server.data, "status", "hanoi-planning")).toMatch(/1 of 40 places/);
  expect(visit.errors).toEqual([]);
});

step("withdrawal asks once more and deletes the participant", async () => {
  const { page } = visit;
  await press(page, "Withdraw from the study");
  await lookAtStudy(page, "withdraw");
  await press(page, "Delete everything and withdraw");
  await heading(page, "You have withdrawn").waitFor();
  await expect
    .poll(() => runStudies(server.data, "status", "hanoi-planning"))
    .toMatch(/0 of 40 places/);
});

step("a recruited participant is sent back once, after everything is stored", async () => {
  await writeFile(join(server.data, "recruited.yaml"), RECRUITED);
  await runStudies(server.data, "open", "recruited.yaml", "--code", "complete=C0DE");
  const { page } = visit;
  const calls: { address: string; waiting: string[] }[] = [];
  await page.route("https://app.prolific.com/**", async (route) => {
    const files = await readdir(join(server.data, "journal"), { recursive: true });
    const waiting = files.filter((file) => /\.(open|sealed)$/.test(file));
    calls.push({ address: route.request().url(), waiting });
    await route.fulfill({ body: "Thank you", contentType: "text/html" });
  });
  await page.goto("/study/recruited?PROLIFIC_PID=person-1&STUDY_ID=s&SESSION_ID=t");
  await page.getByLabel("Use for this research").check();
  await page.getByLabel("In which year were you born?").fill("1985");
  await press(page, "I agree");
  await heading(page, "Your device").waitFor();
  await page.getByText("Measured.").waitFor();
  await holdTwoKeys(page);
  await lookAtStudy(page, "screening");
  await page.setViewportSize({ width: 1280, height: 800 });
  await press(page, "Continue");
  await playHanoi(page, 3);
  await press(page, "Continue");
  expect(await page.getByTestId("completion-code").inputValue()).toBe("C0DE");
  await lookAtStudy(page, "code");
  await page.waitForURL("https://app.prolific.com/**");
  expect(calls).toEqual([
    { address: "https://app.prolific.com/submissions/complete?cc=C0DE", waiting: [] },
  ]);
});

/** Recruiters besides Prolific: what is in the file, the address, and where participants are sent back to. */
const OTHER_RECRUITERS = [
  {
    name: "connect",
    recruiter: "{kind: connect}",
    query: "participantId=p1&assignmentId=a1&projectId=j1",
    site: "https://connect.cloudresearch.com/**",
    back: /^https:\/\/connect\.cloudresearch\.com\/.*j1/,
  },
  {
    name: "sona",
    recruiter: "{kind: sona, site: example, experiment_id: 7}",
    query: "sona_id=11",
    site: "https://example.sona-systems.com/**",
    back: /webstudy_credit\.aspx\?experiment_id=7&credit_token=C0DE&survey_code=11$/,
  },
  {
    name: "mturk",
    recruiter: "{kind: mturk}",
    query: "workerId=w1&assignmentId=a1&hitId=h1",
    site: "https://*.mturk.com/**",
    back: null,
  },
];

for (const { name, recruiter, query, site, back } of OTHER_RECRUITERS)
  step(
    `a participant of ${name} is sent back ${back === null ? "by no redirect" : "once, after everything is stored"}`,
    async () => {
      const file = join(server.data, `${name}.yaml`);
      const content = RECRUITED.replace("{kind: prolific}", recruiter).replace(
        /.*kind: screening.*\n/,
        "",
      );
      await writeFile(file, content);
      await runStudies(server.data, "open", `${name}.yaml`, "--code", "complete=C0DE");
      const own = await openVisit(browser, server.url);
      const { page } = own;
      const calls: string[] = [];
      let waiting: string[] = [];
      await page.route(site, async (route) => {
        const files = await readdir(join(server.data, "journal"), { recursive: true });
        waiting = files.filter((one) => /\.(open|sealed)$/.test(one));
        calls.push(route.request().url());
        await route.fulfill({ body: "Thank you", contentType: "text/html" });
      });
      await page.goto(`/study/${name}?${query}`);
      await page.getByLabel("Use for this research").check();
      await page.getByLabel("In which year were you born?").fill("1985");
      await press(page, "I agree");
      await playHanoi(page, 3);
      await press(page, "Continue");
      if (back === null) {
        expect(await page.getByTestId("completion-code").inputValue()).toBe("C0DE");
        await page.waitForTimeout(3000);
        expect(calls).toEqual([]);
      } else {
        await page.waitForURL(site);
        expect(calls).toEqual([expect.stringMatching(back)]);
        expect(waiting).toEqual([]);
      }
      await own.context.close();
    },
  );

step("a German participant reads German, and may choose another language", async () => {
  const german = await openVisit(browser, server.url, "de-DE");
  const { page } = german;
  await page.goto("/study/recruited?PROLIFIC_PID=person-2&STUDY_ID=s&SESSION_ID=t");
  await heading(page, "Einwilligung").waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await lookAtStudy(page, "german-consent");
  await press(page, "English");
  await heading(page, "Consent").waitFor();
  await page.getByLabel("Use for this research").waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  await press(page, "Deutsch");
  await heading(page, "Einwilligung").waitFor();
  await page.getByLabel("Nutzung für diese Forschung").check();
  await page.getByLabel("In welchem Jahr sind Sie geboren?").fill("1985");
  await press(page, "Ich stimme zu");
  await heading(page, "Ihr Gerät").waitFor();
  await page.getByText("Gemessen.").waitFor();
  await lookAtStudy(page, "german-screening");
  expect(german.errors).toEqual([]);
  await german.context.close();
});

step("a study that does not exist says so", async () => {
  const { page } = visit;
  await page.goto("/study/nothing");
  await heading(page, "Study not available").waitFor();
  await lookAtStudy(page, "missing");
});

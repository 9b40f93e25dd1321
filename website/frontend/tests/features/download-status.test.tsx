// @vitest-environment happy-dom
import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import type { ExportProgress, ExportTicket } from "@/api/client";
import { DownloadStatus } from "@/features/exports/download-status";

import { renderWithTexts } from "../support/render-with-texts";

const TICKET = { episodes: 3, steps: 90 } as ExportTicket;
const progress = (state: ExportProgress["state"], message: string): ExportProgress => ({
  state,
  episodes: 2,
  of: 3,
  bytes: 1000,
  message,
});

afterEach(() => cleanup());

test("download that left out an episode says so when it is done", () => {
  const shown = progress("done", "1 of 3 episodes is left out.");
  renderWithTexts(<DownloadStatus ticket={TICKET} progress={shown} requestError={undefined} />);
  expect(screen.getByTestId("left-out").textContent).toBe("1 of 3 episodes is left out.");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("download that is whole says nothing of left-out episodes", () => {
  renderWithTexts(
    <DownloadStatus ticket={TICKET} progress={progress("done", "")} requestError={undefined} />,
  );
  expect(screen.queryByTestId("left-out")).toBeNull();
});

test("download that failed shows the reason as an alert", () => {
  const shown = progress("failed", "The server is restarting.");
  renderWithTexts(<DownloadStatus ticket={TICKET} progress={shown} requestError={undefined} />);
  expect(screen.getByRole("alert").textContent).toBe("The server is restarting.");
});

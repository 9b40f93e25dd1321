import { i18n } from "@/lib/i18n";
import { useLingui } from "@lingui/react";
import type { ExportProgress, ExportTicket } from "@/api/client";
import { Button } from "@/components/button";
import { formatBytes, formatCount } from "@/lib/format";

import { startDownload } from "./use-download";

interface Props {
  ticket: ExportTicket | undefined;
  progress: ExportProgress | undefined;
  /** Error of the request, if it failed. */
  requestError: string | undefined;
}

/** Status of a download, with a button to repeat it. */
export function DownloadStatus({ ticket, progress, requestError }: Props) {
  const { i18n } = useLingui();
  const errorMessage =
    requestError ?? (progress?.state === "failed" ? progress.message : undefined);
  return (
    <div aria-live="polite" className="grid justify-items-start gap-3">
      {errorMessage !== undefined && (
        <p role="alert" className="font-semibold text-link">
          {errorMessage}
        </p>
      )}
      {ticket !== undefined && requestError === undefined && (
        <>
          {errorMessage === undefined && <p>{describe(ticket, progress)}</p>}
          {isComplete(progress) && progress.message !== "" && (
            <p data-testid="left-out" className="max-w-prose">
              {progress.message}
            </p>
          )}
          {progress?.state === "making" && (
            <progress
              aria-label={i18n._("Episodes in the download")}
              value={progress.episodes}
              max={Math.max(progress.of, 1)}
              className="h-3 w-full max-w-md accent-action"
            />
          )}
          {(progress?.state === "failed" || isComplete(progress)) && (
            <Button look="plain" onClick={() => startDownload(ticket)}>
              {i18n._("Download again")}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

function isComplete(progress: ExportProgress | undefined): progress is ExportProgress {
  return progress?.state === "done" || progress?.state === "ready";
}

function describe(ticket: ExportTicket, progress: ExportProgress | undefined): string {
  const size = `${formatCount(ticket.episodes, "episode")}, ${formatCount(ticket.steps, "step")}`;
  if (progress?.state === "done")
    return i18n._("Done: {size}, {bytes}.", { size, bytes: formatBytes(progress.bytes) });
  if (progress?.state === "ready")
    return i18n._("Ready: {size}, {bytes}. Your browser is downloading it.", {
      size,
      bytes: formatBytes(progress.bytes),
    });
  if (progress?.state === "waiting" || (ticket.is_prepared && progress?.state !== "making"))
    return i18n._("{size}: your download is being prepared. It starts by itself.", { size });
  if (progress?.state !== "making")
    return i18n._("{size}: your browser is downloading it.", { size });
  return i18n._("{count} of {episodes}, {bytes} so far. Keep the browser open.", {
    count: i18n.number(progress.episodes),
    episodes: formatCount(progress.of, "episode"),
    bytes: formatBytes(progress.bytes),
  });
}

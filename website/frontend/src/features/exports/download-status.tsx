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
              aria-label="Episodes in the download"
              value={progress.episodes}
              max={Math.max(progress.of, 1)}
              className="h-3 w-full max-w-md accent-action"
            />
          )}
          {(progress?.state === "failed" || isComplete(progress)) && (
            <Button look="plain" onClick={() => startDownload(ticket)}>
              Download again
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
  if (progress?.state === "done") return `Done: ${size}, ${formatBytes(progress.bytes)}.`;
  if (progress?.state === "ready")
    return `Ready: ${size}, ${formatBytes(progress.bytes)}. Your browser is downloading it.`;
  if (progress?.state === "waiting" || (ticket.is_prepared && progress?.state !== "making"))
    return `${size}: your download is being prepared. It starts by itself.`;
  if (progress?.state !== "making") return `${size}: your browser is downloading it.`;
  return `${progress.episodes} of ${formatCount(progress.of, "episode")}, ${formatBytes(progress.bytes)} so far. Keep the browser open.`;
}

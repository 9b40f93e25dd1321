import { useLingui } from "@lingui/react";
import { api } from "@/api/client";
import { Button } from "@/components/button";
import { DownloadStatus } from "./download-status";
import { isInProgress, useDownload } from "./use-download";

/** Downloads all recordings of the player. */
export function OwnData() {
  const { i18n } = useLingui();
  const { ticketRequest, progress } = useDownload(() => api.requestOwnExport("minari"));
  const isBusy = ticketRequest.isPending || isInProgress(progress);
  return (
    <section aria-labelledby="own-data" className="mt-14 grid justify-items-start gap-4">
      <h2 id="own-data" className="text-4xl sign">
        {i18n._("Download your data")}
      </h2>
      <p className="max-w-2xl text-pretty text-dim">
        {i18n._(
          "All your finished episodes with every frame, key and time, as a dataset for Minari. The download includes a description of its files.",
        )}
      </p>
      <Button look="plain" disabled={isBusy} onClick={() => ticketRequest.mutate()}>
        {isBusy ? i18n._("Downloading…") : i18n._("Download my data")}
      </Button>
      <DownloadStatus
        ticket={ticketRequest.data}
        progress={progress}
        requestError={ticketRequest.error?.message}
      />
    </section>
  );
}

import { useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";

import { downloadUrl, type ExportProgress, type ExportTicket } from "@/api/client";
import { exportProgressQuery } from "@/api/queries";

interface Download<Request> {
  ticketRequest: UseMutationResult<ExportTicket, Error, Request>;
  /** Progress of the download; undefined until it is known. */
  progress: ExportProgress | undefined;
}

/** Requests an export, starts the browser's download, and polls its progress. */
export function useDownload<Request>(
  requestTicket: (request: Request) => Promise<ExportTicket>,
): Download<Request> {
  const ticketRequest = useMutation({ mutationFn: requestTicket, onSuccess: startDownload });
  const progress = useQuery({
    ...exportProgressQuery(ticketRequest.data ?? NO_TICKET),
    enabled: ticketRequest.data !== undefined,
  });
  return { ticketRequest, progress: progress.data };
}

const NO_TICKET: ExportTicket = {
  address: "",
  progress: "",
  episodes: 0,
  steps: 0,
  players: 0,
  expires_at: "",
};

/** Starts a download of the browser, which streams to disk. */
export function startDownload(ticket: ExportTicket): void {
  const link = document.createElement("a");
  link.href = downloadUrl(ticket);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

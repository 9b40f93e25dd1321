import { useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";

import { downloadUrl, type ExportProgress, type ExportTicket } from "@/api/client";
import { exportProgressQuery } from "@/api/queries";
import { useEffect, useRef } from "react";

interface Download<Request> {
  ticketRequest: UseMutationResult<ExportTicket, Error, Request>;
  /** Progress of the download; undefined until it is known. */
  progress: ExportProgress | undefined;
}

/**
 * Requests an export, starts the browser's download, and polls its progress. An export that a job prepares is
 * downloaded when it is ready.
 */
export function useDownload<Request>(
  requestTicket: (request: Request) => Promise<ExportTicket>,
): Download<Request> {
  const ticketRequest = useMutation({
    mutationFn: requestTicket,
    onSuccess: (ticket) => {
      if (!ticket.is_prepared) startDownload(ticket);
    },
  });
  const progress = useQuery({
    ...exportProgressQuery(ticketRequest.data ?? NO_TICKET),
    enabled: ticketRequest.data !== undefined,
  });
  const ticket = ticketRequest.data;
  const isReady = ticket?.is_prepared === true && progress.data?.state === "ready";
  const downloaded = useRef<ExportTicket>(undefined);
  useEffect(() => {
    if (!isReady || downloaded.current === ticket) return;
    downloaded.current = ticket;
    startDownload(ticket);
  }, [isReady, ticket]);
  return { ticketRequest, progress: progress.data };
}

const NO_TICKET: ExportTicket = {
  address: "",
  is_prepared: false,
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

/** Whether an export is being made. */
export function isInProgress(progress: ExportProgress | undefined): boolean {
  return progress?.state === "making" || progress?.state === "waiting";
}

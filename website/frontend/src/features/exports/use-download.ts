import { useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";

import { downloadUrl, type ExportProgress, type ExportTicket } from "@/api/client";
import { exportProgressQuery } from "@/api/queries";

interface Download<Request> {
  ticketRequest: UseMutationResult<ExportTicket, Error, Request>;
  /** How far it is; undefined until that is known. */
  progress: ExportProgress | undefined;
}

/** Asks for an export, lets the browser download it, and watches how far it is. */
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

/** The browser's own download: it goes to the disk, however big it is. */
export function startDownload(ticket: ExportTicket): void {
  const link = document.createElement("a");
  link.href = downloadUrl(ticket);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

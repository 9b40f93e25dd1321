import { useMutation, useQuery, type UseMutationResult } from "@tanstack/react-query";

import { downloadAddress, type ExportProgress, type ExportTicket } from "@/api/client";
import { exportProgressQuery } from "@/api/queries";

interface Downloading<Request> {
  asked: UseMutationResult<ExportTicket, Error, Request>;
  /** How far it is; undefined until that is known. */
  progress: ExportProgress | undefined;
}

/** Asks for an export, lets the browser download it, and watches how far it is. */
export function useDownload<Request>(
  ask: (request: Request) => Promise<ExportTicket>,
): Downloading<Request> {
  const asked = useMutation({ mutationFn: ask, onSuccess: startDownload });
  const progress = useQuery({
    ...exportProgressQuery(asked.data ?? NOTHING),
    enabled: asked.data !== undefined,
  });
  return { asked, progress: progress.data };
}

const NOTHING: ExportTicket = {
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
  link.href = downloadAddress(ticket);
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

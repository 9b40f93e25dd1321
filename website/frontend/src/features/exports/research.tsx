import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";

import { api, type ExportRequest, type PlayedGame } from "@/api/client";
import { playedGamesQuery } from "@/api/queries";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { DataTable } from "./data-table";
import { DownloadStatus } from "./download-status";
import { isInProgress, useDownload } from "./use-download";

import { ExportForm } from "./export-form";

/** Recordings by game, and the export form. */
export function Research({ userId }: { userId: string }) {
  const { i18n } = useLingui();
  const games = useQuery(playedGamesQuery(userId));
  const { ticketRequest, progress } = useDownload((request: ExportRequest) =>
    api.requestExport(request),
  );
  return (
    <div className="max-w-5xl">
      <p className="mt-3 max-w-2xl text-lg text-pretty text-dim">
        {i18n._(
          "All finished episodes with every frame, action, reward and time. Players have pseudonyms that are new in every download.",
        )}
      </p>
      {games.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {games.isError && (
        <Message
          isError
          title={i18n._("Cannot load the recordings")}
          action={<Button onClick={() => void games.refetch()}>{i18n._("Try again")}</Button>}
        >
          {games.error.message}
        </Message>
      )}
      {games.data?.length === 0 && (
        <Message title={i18n._("Nothing yet")}>
          {i18n._("Recordings are listed here once a game has ended.")}
        </Message>
      )}
      {games.data !== undefined && games.data.length > 0 && (
        <>
          <GameCountsTable games={games.data} />
          <h2 className="mt-12 mb-5 text-4xl sign">{i18n._("Download recordings")}</h2>
          <ExportForm
            games={games.data}
            isBusy={ticketRequest.isPending || isInProgress(progress)}
            onSubmit={(request) => ticketRequest.mutate(request)}
          />
          <div className="mt-6">
            <DownloadStatus
              ticket={ticketRequest.data}
              progress={progress}
              requestError={ticketRequest.error?.message}
            />
          </div>
        </>
      )}
    </div>
  );
}

function GameCountsTable({ games }: { games: readonly PlayedGame[] }) {
  const { i18n } = useLingui();
  return (
    <DataTable
      label={i18n._("Recordings")}
      columns={[
        i18n._("Game"),
        i18n._("Players"),
        i18n._("Episodes"),
        i18n._("Certified"),
        i18n._("Steps"),
        i18n._("Hours"),
      ]}
      rows={games.map((game) => ({
        key: game.game_id,
        name: game.game_name,
        cells: [
          ...[game.players, game.episodes, game.certified, game.steps].map((value) =>
            i18n.number(value),
          ),
          i18n.number(game.hours, { maximumFractionDigits: 2 }),
        ],
      }))}
    />
  );
}

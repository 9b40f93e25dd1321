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
  const games = useQuery(playedGamesQuery(userId));
  const { ticketRequest, progress } = useDownload((request: ExportRequest) =>
    api.requestExport(request),
  );
  return (
    <div className="max-w-5xl">
      <p className="mt-3 max-w-2xl text-lg text-pretty text-dim">
        All finished episodes with every frame, action, reward and time. Players have pseudonyms
        that are new in every download.
      </p>
      {games.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          Loading…
        </p>
      )}
      {games.isError && (
        <Message
          isError
          title="Cannot load the recordings"
          action={<Button onClick={() => void games.refetch()}>Try again</Button>}
        >
          {games.error.message}
        </Message>
      )}
      {games.data?.length === 0 && (
        <Message title="Nothing yet">Recordings are listed here once a game has ended.</Message>
      )}
      {games.data !== undefined && games.data.length > 0 && (
        <>
          <GameCountsTable games={games.data} />
          <h2 className="mt-12 mb-5 text-4xl sign">Download recordings</h2>
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
  return (
    <DataTable
      label="Recordings"
      columns={["Game", "Players", "Episodes", "Certified", "Steps", "Hours"]}
      rows={games.map((game) => ({
        key: game.game_id,
        name: game.game_name,
        cells: [
          ...[game.players, game.episodes, game.certified, game.steps].map((value) =>
            value.toLocaleString("en"),
          ),
          game.hours.toLocaleString("en", { maximumFractionDigits: 2 }),
        ],
      }))}
    />
  );
}

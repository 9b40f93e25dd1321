import { useQuery } from "@tanstack/react-query";

import { api, type ExportRequest, type PlayedGame } from "@/api/client";
import { playedGamesQuery } from "@/api/queries";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { DownloadStatus } from "./download-status";
import { useDownload } from "./use-download";

import { ExportForm } from "./export-form";

/** Recordings by game, and the export form. */
export function Research({ userId }: { userId: string }) {
  const games = useQuery(playedGamesQuery(userId));
  const { ticketRequest, progress } = useDownload((request: ExportRequest) =>
    api.requestExport(request),
  );
  return (
    <div className="max-w-5xl pt-10">
      <h1 className="text-6xl sign sm:text-7xl">Research</h1>
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
            isBusy={ticketRequest.isPending || progress?.state === "making"}
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
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
    <div className="mt-8 overflow-x-auto" role="region" aria-label="Recordings" tabIndex={0}>
      <table className="w-full min-w-xl border-y border-line/60 text-right">
        <thead className="text-dim">
          <tr className="border-b border-line/60">
            {["Game", "Players", "Episodes", "Certified", "Steps", "Hours"].map((name) => (
              <th
                key={name}
                scope="col"
                className="py-3 pl-4 font-semibold first:pl-0 first:text-left"
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {games.map((game) => (
            <tr key={game.game_id} className="border-b border-line/60 last:border-0">
              <th scope="row" className="py-3 text-left text-lg">
                {game.game_name}
              </th>
              {[game.players, game.episodes, game.certified, game.steps].map((value, column) => (
                <td key={column} className="pl-4">
                  {value.toLocaleString("en")}
                </td>
              ))}
              <td className="pl-4">
                {game.hours.toLocaleString("en", { maximumFractionDigits: 2 })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

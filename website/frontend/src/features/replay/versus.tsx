import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useEffect, useId, useMemo, useState } from "react";

import { api } from "@/api/client";
import { type Replay, ReplayClient } from "@/api/replay";
import { useSession } from "@/api/session";
import { Button } from "@/components/button";
import { formatScore, formatTimeAgo } from "@/lib/format";
import { matchingFrame, SYNC_MODES, type SyncMode } from "@/play/replay/synchronize";

import { Dialog } from "./dialog";
import { ReplayScreen } from "./replay-screen";
import { type ReplayModel, useFrame, useReplay } from "./use-replay";
import { parseReplayLink } from "./view-address";

/** The episode beside the main one. */
export interface Versus {
  episode: string;
  share: string | null;
}

const SYNC_NAMES: Record<SyncMode, string> = {
  step: /*i18n*/ "Same step",
  time: /*i18n*/ "Same time",
  score: /*i18n*/ "Same score",
};

interface Props {
  main: ReplayModel;
  versus: Versus;
  sync: SyncMode;
  onSync: (sync: SyncMode) => void;
  onClose: () => void;
}

/** A second episode that follows the first one by step, time or score. */
export function VersusView({ main, versus, sync, onSync, onClose }: Props) {
  const { i18n } = useLingui();
  const client = useMemo(
    () => new ReplayClient(versus.episode, versus.share),
    [versus.episode, versus.share],
  );
  const replay = useQuery(replayQuery(client));
  const field = useId();
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col gap-2" data-testid="versus">
      {replay.isPending && <p role="status">{i18n._("Loading…")}</p>}
      {replay.isError && (
        <p role="alert" className="m-auto max-w-sm text-center">
          {replay.error.message}
        </p>
      )}
      {replay.isSuccess && <Follower {...{ main, sync, client }} replay={replay.data} />}
      <div className="flex flex-wrap items-center justify-center gap-2 text-sm">
        <label htmlFor={field} className="sr-only">
          {i18n._("Side by side by")}
        </label>
        <select
          id={field}
          value={sync}
          onChange={(event) => {
            const mode = SYNC_MODES.find((one) => one === event.target.value);
            if (mode !== undefined) onSync(mode);
          }}
          className="min-h-9 rounded-full border-2 border-line bg-surface px-3 font-bold"
        >
          {SYNC_MODES.map((mode) => (
            <option key={mode} value={mode}>
              {i18n._(SYNC_NAMES[mode])}
            </option>
          ))}
        </select>
        <button
          type="button"
          onClick={onClose}
          className="min-h-9 rounded-full px-3 font-bold text-dim hover:text-ink"
        >
          {i18n._("Close")}
        </button>
      </div>
    </div>
  );
}

/** Query of an episode's description. */
export const replayQuery = (client: ReplayClient) => ({
  queryKey: ["episodes", "replay", client.episodeId, client.shareToken],
  queryFn: ({ signal }: { signal: AbortSignal }) => client.replay(signal),
  staleTime: Infinity,
  retry: false,
});

interface FollowerProps {
  main: ReplayModel;
  sync: SyncMode;
  client: ReplayClient;
  replay: Replay;
}

function Follower({ main, sync, client, replay }: FollowerProps) {
  const model = useReplay(replay, client, () => Promise.resolve());
  useEffect(() => {
    if (model === null) return;
    let followed = -1;
    const follow = () => {
      const { frame } = main.player.state.getSnapshot();
      const count = model.player.source.frameCount;
      const target = matchingFrame(sync, frame, main.data, model.data, count);
      if (target === followed) return;
      followed = target;
      void model.player.seek(target);
    };
    follow();
    const stops = [
      main.player.state.subscribe(follow),
      main.loaded.subscribe(follow),
      model.loaded.subscribe(follow),
    ];
    return () => stops.forEach((stop) => stop());
  }, [main, model, sync]);
  if (model === null) return null;
  return (
    <>
      <FollowerHud model={model} />
      <div className="relative min-h-[42dvh] flex-1 sm:min-h-0">
        <ReplayScreen player={model.player} game={replay.game} testId="versus-screen" isPassive />
      </div>
    </>
  );
}

function FollowerHud({ model: { data, player } }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const frame = useFrame(player);
  return (
    <p className="flex items-end justify-between gap-4 px-1 text-phosphor">
      <span className="dots text-[clamp(1.5rem,3vw,2.25rem)] leading-none">
        <span className="sr-only">{i18n._("Score of the other episode:")} </span>
        {formatScore(data.scores[frame] ?? 0)}
      </span>
      <span data-testid="versus-frame" className="text-sm tabular-nums">
        {i18n.number(frame)} / {i18n.number(player.lastFrame)}
      </span>
    </p>
  );
}

interface CompareDialogProps {
  model: ReplayModel;
  onChoose: (versus: Versus) => void;
  onClose: () => void;
}

const MAX_OFFERED = 8;

/** Chooses an episode to watch beside this one: one of the player's own, or any by its link. */
export function CompareDialog({ model, onChoose, onClose }: CompareDialogProps) {
  const { i18n } = useLingui();
  const field = useId();
  const [link, setLink] = useState("");
  const [isInvalid, setInvalid] = useState(false);
  const session = useSession();
  const own = useQuery({
    queryKey: ["episodes", session?.userId, "compare"],
    queryFn: ({ signal }) => api.episodes(signal),
    enabled: session !== null,
  });
  const offered = (own.data ?? [])
    .filter(({ id, game_id: game }) => game === model.replay.game.id && id !== model.replay.id)
    .slice(0, MAX_OFFERED);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found = parseReplayLink(link);
    setInvalid(found === null);
    if (found !== null) onChoose(found);
  };
  return (
    <Dialog title={i18n._("Side by side")} onClose={onClose}>
      {offered.length > 0 && (
        <ul aria-label={i18n._("Your other rounds")} className="mb-5 grid gap-1">
          {offered.map((episode) => (
            <li key={episode.id}>
              <button
                type="button"
                onClick={() => onChoose({ episode: episode.id, share: null })}
                className="flex w-full items-baseline gap-4 rounded-lg px-3 py-2 text-left hover:bg-raised"
              >
                <span className="w-24 dots text-xl leading-none">{formatScore(episode.score)}</span>
                <span className="text-sm text-dim">
                  {formatTimeAgo(episode.time_created, own.dataUpdatedAt)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={submit} className="grid gap-2">
        <label htmlFor={field} className="font-bold">
          {i18n._("Link of a replay, or id of an episode")}
        </label>
        <input
          id={field}
          value={link}
          onChange={(event) => setLink(event.target.value)}
          autoComplete="off"
          spellCheck={false}
          className="min-h-11 rounded-xl border border-line bg-bg px-4"
        />
        {isInvalid && (
          <p role="alert" className="font-semibold text-link">
            {i18n._(
              "This is no link of a replay. Open the shared link first, then copy the address of the replay.",
            )}
          </p>
        )}
        <Button type="submit" look="plain" className="justify-self-start">
          {i18n._("Open")}
        </Button>
      </form>
    </Dialog>
  );
}

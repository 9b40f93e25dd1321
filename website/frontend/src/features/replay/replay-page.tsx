import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import {
  type CSSProperties,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useState,
} from "react";
import { Link } from "react-router";

import type { Replay, ReplayClient } from "@/api/replay";
import { useSession } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { ThemeButton } from "@/components/theme-button";
import { HomeLink } from "@/components/wordmark";
import { paths } from "@/config/paths";
import { useFullScreen } from "@/lib/full-screen";
import { hueFor } from "@/lib/hue";
import type { ReplayPlayer } from "@/play/replay/replay-player";
import type { SyncMode } from "@/play/replay/synchronize";

import { About } from "./about";
import { ClipDialog } from "./clip-dialog";
import { EventsList } from "./events-list";
import { HelpDialog } from "./help-dialog";
import { NotesPanel, notesKey } from "./notes-panel";
import { PlayFromHere } from "./play-from-here";
import { ControlsReadout, InfoReadout, ReplayCaption, ReplayHud } from "./readout";
import { ReplayScreen } from "./replay-screen";
import { ShareDialog } from "./share-dialog";
import { Timeline } from "./timeline";
import { Transport } from "./transport";
import { type ReplayModel, useLoaded, usePlayerState, useReplay } from "./use-replay";
import { useReplayKeys } from "./use-replay-keys";
import { CompareDialog, type Versus, VersusView } from "./versus";
import { formatView, type ReplayView } from "./view-address";

interface Props {
  replay: Replay;
  client: ReplayClient;
  /** What the address said. */
  view: ReplayView;
  versusShare: string | null;
  /** Time of the answer, for "5 min. ago". */
  now: number;
}

/** Page of one replay: picture, timeline and what was recorded beside it. */
export function ReplayPage({ replay, client, view, versusShare, now }: Props) {
  const model = useReplay(replay, client, (player) => openView(player, view));
  if (model === null) return null;
  const versus = view.versus === null ? null : { episode: view.versus, share: versusShare };
  return <ReplayLayout key={replay.id} {...{ model, now }} start={{ versus, sync: view.sync }} />;
}

function openView(player: ReplayPlayer, { frame, end, speed }: ReplayView): Promise<void> {
  player.setSpeed(speed);
  if (end !== null) player.setLoop({ from: frame, to: end });
  return player.seek(frame);
}

interface LayoutProps {
  model: ReplayModel;
  start: { versus: Versus | null; sync: SyncMode };
  now: number;
}

type OpenDialog = "share" | "clip" | "help" | "compare" | null;
const NO_NOTES: readonly never[] = [];

function ReplayLayout({ model, start, now }: LayoutProps) {
  const { i18n } = useLingui();
  const { replay, player, client } = model;
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const [versus, setVersus] = useState(start.versus);
  const [sync, setSync] = useState(start.sync);
  const [, toggleFull] = useFullScreen();
  const showHelp = useCallback(() => setDialog("help"), []);
  useReplayKeys(model, toggleFull, showHelp);
  const view = useAddress(model, versus, sync);
  const mayNote =
    useSession() !== null && (replay.access === "player" || replay.access === "researcher");
  const notes = useQuery({
    queryKey: notesKey(client.episodeId),
    queryFn: ({ signal }) => client.notes(signal),
    enabled: mayNote,
  });
  const openDialog = (name: OpenDialog) => {
    player.pause();
    setDialog(name);
  };
  return (
    <div
      style={{ "--hue": hueFor(replay.game.id) } as CSSProperties}
      className="flex min-h-dvh flex-col"
    >
      <TopBar replay={replay} />
      <div className="relative lg:grid lg:flex-1 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <main className="flex min-w-0 flex-col lg:h-[calc(100dvh-4rem)]">
          <h2 className="sr-only">{i18n._("Replay")}</h2>
          <div
            data-theme="dark"
            className="flex min-h-0 flex-1 flex-col gap-2 p-3 text-ink glow sm:px-5 sm:py-4"
          >
            <div className="flex min-h-0 flex-1 flex-col gap-4 sm:flex-row">
              <div className="flex min-h-0 min-w-0 flex-1 flex-col gap-2">
                <ReplayHud model={model} />
                {replay.game.show.text !== null && <ReplayCaption model={model} />}
                <div className="relative min-h-[46dvh] flex-1 sm:min-h-0">
                  <ReplayScreen player={player} game={replay.game} />
                </div>
              </div>
              {versus !== null && (
                <VersusView
                  main={model}
                  {...{ versus, sync }}
                  onSync={setSync}
                  onClose={() => setVersus(null)}
                />
              )}
            </div>
          </div>
          <div className="grid gap-3 border-t border-line/60 px-3 py-3 sm:px-5">
            <Timeline model={model} notes={notes.data?.notes ?? NO_NOTES} />
            <Transport model={model} onHelp={showHelp} />
          </div>
        </main>
        <aside
          aria-label={i18n._("Recording")}
          className="flex flex-col gap-7 border-line/60 p-5 sm:p-8 lg:h-[calc(100dvh-4rem)] lg:overflow-y-auto lg:border-l lg:p-6"
        >
          <div className="flex flex-wrap gap-2">
            {replay.access === "player" && (
              <Button onClick={() => openDialog("share")}>{i18n._("Share")}</Button>
            )}
            <Button look="plain" onClick={() => openDialog("clip")}>
              {i18n._("Save a clip")}
            </Button>
            <Button look="plain" onClick={() => openDialog("compare")}>
              {i18n._("Side by side")}
            </Button>
            {replay.time_ended !== null && (
              <Link
                className={buttonClass("plain")}
                to={paths.race(replay.game.id, replay.id, client.shareToken)}
              >
                {i18n._("Race")}
              </Link>
            )}
            <PlayFromHere model={model} />
          </div>
          <LoadError model={model} />
          <Section title={i18n._("Controls")}>
            <ControlsReadout model={model} />
          </Section>
          <Section title={i18n._("Events")}>
            <EventsList model={model} />
          </Section>
          {mayNote && (
            <Section title={i18n._("Notes")}>
              <NotesPanel model={model} notes={notes} />
            </Section>
          )}
          <Section title={i18n._("Recording")}>
            <About replay={replay} now={now} />
          </Section>
          <Section title={i18n._("Info")}>
            <InfoReadout model={model} />
          </Section>
        </aside>
      </div>
      <PlaybackAnnouncer player={player} />
      {dialog === "help" && <HelpDialog onClose={() => setDialog(null)} />}
      {dialog === "share" && (
        <ShareDialog model={model} view={view} onClose={() => setDialog(null)} />
      )}
      {dialog === "clip" && <ClipDialog model={model} onClose={() => setDialog(null)} />}
      {dialog === "compare" && (
        <CompareDialog
          model={model}
          onClose={() => setDialog(null)}
          onChoose={(chosen) => {
            setVersus(chosen);
            setDialog(null);
          }}
        />
      )}
    </div>
  );
}

function TopBar({ replay }: { replay: Replay }) {
  const { i18n } = useLingui();
  return (
    <header className="z-20 flex h-14 shrink-0 items-center gap-1 pr-2 marquee sm:h-16 sm:pr-4">
      <HomeLink />
      <h1 className="line-clamp-2 min-w-0 flex-1 px-3 text-[clamp(1.25rem,3.6vw,2.6rem)] sign text-balance sm:px-5">
        {replay.game.name}
        <span className="sr-only">, {i18n._("replay")}</span>
      </h1>
      <span
        aria-hidden="true"
        className="mx-1 rounded-full border border-current px-2.5 py-0.5 text-xs font-bold"
      >
        {i18n._("Replay")}
      </span>
      <Link
        to={paths.play(replay.game.id, replay.options)}
        className="grid min-h-10 place-items-center rounded-full px-3 text-sm font-bold whitespace-nowrap hover:bg-black/10"
      >
        {i18n._("Play this game")}
      </Link>
      <span className="max-sm:hidden">
        <ThemeButton />
      </span>
    </header>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-3 text-2xl sign">{title}</h2>
      {children}
    </section>
  );
}

function LoadError({ model }: { model: ReplayModel }) {
  const { error } = useLoaded(model);
  if (error === null) return null;
  return (
    <p role="alert" className="rounded-xl bg-raised p-4">
      {error}
    </p>
  );
}

/** Says for screen readers when playback starts and where it stops. */
function PlaybackAnnouncer({ player }: { player: ReplayPlayer }) {
  const { i18n } = useLingui();
  const { isPlaying, frame, speed } = usePlayerState(player);
  return (
    <p role="status" className="sr-only">
      {isPlaying
        ? i18n._("Playing at speed {speed}", { speed: String(speed) })
        : i18n._("Paused at frame {frame}", { frame: String(frame) })}
    </p>
  );
}

const WRITE_DELAY_MS = 300;

/**
 * Returns the query of the current view, and writes it to the address while the replay is paused:
 * a playing one would flood the history.
 */
function useAddress(model: ReplayModel, versus: Versus | null, sync: SyncMode): string {
  const { frame, loop, speed, isPlaying } = usePlayerState(model.player);
  const view = useMemo(
    () =>
      formatView({
        frame: loop?.from ?? frame,
        end: loop?.to ?? null,
        speed,
        versus: versus?.episode ?? null,
        sync,
      }),
    [frame, loop, speed, versus, sync],
  );
  useEffect(() => {
    if (isPlaying) return;
    const timer = setTimeout(() => {
      // The address may be another page's already, whose code is still loading.
      if (!location.pathname.endsWith(model.client.episodeId)) return;
      const fragment = new URLSearchParams();
      if (model.client.shareToken !== null) fragment.set("share", model.client.shareToken);
      if (versus?.share != null) fragment.set("vs-share", versus.share);
      const hash = fragment.size === 0 ? "" : `#${fragment.toString()}`;
      history.replaceState(history.state, "", location.pathname + view + hash);
    }, WRITE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [model, view, versus, isPlaying]);
  return view;
}

import type { ReactNode } from "react";
import { Link } from "react-router";

import { coverUrl, type Game } from "@/api/client";
import { Button, buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import type { Engine, Phase, Snapshot } from "@/play/engine";

import { OptionsPicker } from "./options-picker";
import { EpisodeEnd } from "./episode-end";
import type { EpisodeResult } from "./episode-results";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  /** Results of earlier episodes, oldest first. */
  results: readonly EpisodeResult[];
  touch: boolean;
  onReopen: () => void;
}

/** Overlay on the screen while the game does not run. */
export function Overlay(props: Props) {
  const { snapshot } = props;
  const { kind } = snapshot.phase;
  if (kind === "playing" || kind === "starting") return null;
  const isCountdown = kind === "countdown";
  const isIdle = kind === "ready" || kind === "connecting";
  return (
    <div
      className={`absolute inset-0 z-10 grid place-items-center overflow-y-auto p-4 text-center ${isCountdown ? "bg-black/35" : "bg-tube/80"}`}
    >
      {isIdle && <CoverBackdrop game={props.game} />}
      <div className="relative w-full max-w-lg animate-rise" key={kind}>
        <OverlayContent {...props} phase={snapshot.phase} />
      </div>
    </div>
  );
}

/** Cover picture behind the overlay before the first episode. */
function CoverBackdrop({ game }: { game: Game }) {
  if (game.cover === null) return null;
  return (
    <img
      src={coverUrl(game.cover)}
      alt=""
      className="absolute inset-0 -z-10 size-full object-cover opacity-60 blur-md"
    />
  );
}

function OverlayContent({
  engine,
  game,
  phase,
  results,
  touch,
  onReopen,
}: Props & { phase: Phase }) {
  const key = touch ? null : <Hint>or press Enter</Hint>;
  switch (phase.kind) {
    case "connecting":
      return (
        <Panel title="Loading…">
          <div className="mx-auto mt-5 h-2 w-40 animate-sweep rounded-full bg-linear-to-r from-tomato via-marigold to-teal bg-[length:200%_100%]" />
        </Panel>
      );
    case "ready":
      return (
        <Panel title={game.name}>
          <p className="mx-auto mt-3 max-w-sm text-pretty lg:hidden">{game.summary}</p>
          <Button className="mt-6 text-lg" onClick={() => engine.start()}>
            Start
          </Button>
          {key}
          <OptionsPicker game={game} />
        </Panel>
      );
    case "countdown":
      return (
        <p
          key={phase.beatsLeft}
          className="animate-beat dots text-[min(40vh,12rem)] leading-none text-phosphor"
        >
          {phase.beatsLeft}
        </p>
      );
    case "paused":
      return (
        <Panel title="Paused">
          <p className="mt-3">{PAUSE_TEXTS[phase.reason]}</p>
          <Actions>
            <Button onClick={() => engine.resume()}>Resume</Button>
            <Button look="plain" onClick={() => engine.restart()}>
              Restart
            </Button>
            <LeaveButton engine={engine} />
          </Actions>
          {key}
        </Panel>
      );
    case "leaving":
      return <Panel title={phase.thenRestart ? "Restarting…" : "Quitting…"} />;
    case "ended":
      return (
        <EpisodeEnd phase={phase} game={game} results={results}>
          <Actions>
            <Button onClick={() => engine.start()}>Play again</Button>
            <GamesLink />
          </Actions>
          {key}
          <OptionsPicker game={game} />
        </EpisodeEnd>
      );
    case "episode-lost":
      return (
        <Panel title="Game ended">
          <p className="mt-3 text-pretty">
            The game ended while you were disconnected. Everything you played was recorded.
          </p>
          <Actions>
            <Button onClick={() => engine.start()}>Play again</Button>
            <GamesLink />
          </Actions>
        </Panel>
      );
    case "reconnecting":
      return (
        <Panel title={reconnectingTitle(phase)}>
          <p className="mt-3 text-pretty">{phase.message}</p>
          <Actions>
            <Button look="action" onClick={() => engine.reconnectNow()}>
              {phase.cause === "websocket-blocked" ? "Try again" : "Reconnect"}
            </Button>
            <GamesLink />
          </Actions>
        </Panel>
      );
    case "closed":
      return (
        <Panel title={phase.closeReason.title ?? "Game stopped"}>
          <p className="mt-3 text-pretty">{phase.closeReason.message}</p>
          <Actions>
            {phase.closeReason.help === "reopen" && (
              <Button onClick={onReopen}>
                {phase.closeReason.actionLabel ?? "Reopen the game"}
              </Button>
            )}
            {phase.closeReason.help === "sign-in" && (
              <Link className={buttonClass("action")} to={paths.signIn(paths.play(game.id))}>
                Sign in
              </Link>
            )}
            <GamesLink />
          </Actions>
        </Panel>
      );
    default:
      return null;
  }
}

function reconnectingTitle({ cause, episodeActive }: Extract<Phase, { kind: "reconnecting" }>) {
  if (cause === "websocket-blocked") return "WebSockets are blocked";
  return episodeActive ? "Reconnecting…" : "Cannot connect";
}

const PAUSE_TEXTS = {
  player: "Take your time.",
  focus: "The game was paused because the window lost keyboard focus.",
  connection: "Reconnected. Your game was paused meanwhile.",
} as const;

function Panel({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <>
      <h2 className="text-[clamp(2.25rem,6vw,4.5rem)] sign text-balance">{title}</h2>
      {children}
    </>
  );
}

const Hint = ({ children }: { children: ReactNode }) => (
  <p className="mt-3 text-sm text-dim">{children}</p>
);

const Actions = ({ children }: { children: ReactNode }) => (
  <div className="mt-6 flex flex-wrap justify-center gap-3">{children}</div>
);

const GamesLink = () => (
  <Link to={paths.games} className={buttonClass("plain")}>
    All games
  </Link>
);

const LeaveButton = ({ engine }: { engine: Engine }) => (
  <Button look="plain" onClick={() => engine.leave()}>
    Quit
  </Button>
);

import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { coverUrl, type Game } from "@/api/client";
import { Button, buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import { translateGameText } from "@/lib/game-texts";
import type { ReconnectCause } from "@/play/driver";
import type { Engine, Phase, Snapshot } from "@/play/engine";

import { OptionsPicker } from "./options-picker";
import { EpisodeEnd } from "./episode-end";
import type { EpisodeResult } from "./episode-results";
import {
  Actions,
  Countdown,
  Hint,
  OverlayFrame,
  Panel,
  PAUSE_TEXTS,
  reconnectingTitle,
} from "./overlay-parts";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  /** Results of earlier episodes, oldest first; null: those of this page do not compare with them. */
  results: readonly EpisodeResult[] | null;
  touch: boolean;
  /** Day of the daily challenge that is played, which has one try; null: an ordinary game. */
  daily: string | null;
  /** Whether the player may choose the options of the game. */
  hasOptions: boolean;
  /** Whether the cover is shown before the start; otherwise the first picture. */
  hasCover: boolean;
  /** Renders the place of a finished episode on leaderboards. */
  renderPlace: ((episodeId: string) => ReactNode) | undefined;
  onReopen: () => void;
  /** What else can be started before the first episode. */
  children: ReactNode;
}

/** Overlay on the screen while the game does not run. */
export function Overlay(props: Props) {
  const { phase } = props.snapshot;
  const isIdle = phase.kind === "ready" || phase.kind === "connecting";
  return (
    <OverlayFrame
      kind={phase.kind}
      backdrop={isIdle && props.hasCover && <CoverBackdrop game={props.game} />}
    >
      <OverlayContent {...props} phase={phase} />
    </OverlayFrame>
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
  snapshot,
  results,
  touch,
  daily,
  hasOptions,
  renderPlace,
  onReopen,
  children,
}: Props & { phase: Phase }) {
  const { i18n } = useLingui();
  const key = touch ? null : <Hint>{i18n._("or press Enter")}</Hint>;
  switch (phase.kind) {
    case "connecting":
      return (
        <Panel title={i18n._("Loading…")}>
          <div className="mx-auto mt-5 h-2 w-40 animate-sweep rounded-full bg-linear-to-r from-tomato via-marigold to-teal bg-[length:200%_100%]" />
        </Panel>
      );
    case "ready":
      return (
        <Panel title={game.name}>
          <p className="mx-auto mt-3 max-w-sm text-pretty lg:hidden">
            {translateGameText(game.summary)}
          </p>
          <Button className="mt-6 text-lg" onClick={() => engine.start()}>
            {i18n._("Start")}
          </Button>
          {key}
          {!snapshot.isRecorded && <NotRecorded game={game} />}
          {children}
          {daily !== null && (
            <p className="mt-4 text-pretty">
              {i18n._("Daily challenge {daily}: you have one try.", { daily })}
            </p>
          )}
          {hasOptions && <OptionsPicker game={game} />}
        </Panel>
      );
    case "countdown":
      return <Countdown beatsLeft={phase.beatsLeft} />;
    case "paused":
      return (
        <Panel title={i18n._("Paused")}>
          <p className="mt-3">{i18n._(PAUSE_TEXTS[phase.reason])}</p>
          <Actions>
            <Button onClick={() => engine.resume()}>{i18n._("Resume")}</Button>
            {daily === null && (
              <Button look="plain" onClick={() => engine.restart()}>
                {i18n._("Restart")}
              </Button>
            )}
            <LeaveButton engine={engine} />
          </Actions>
          {key}
        </Panel>
      );
    case "leaving":
      return <Panel title={phase.thenRestart ? i18n._("Restarting…") : i18n._("Quitting…")} />;
    case "ended":
      return (
        <EndedContent
          engine={engine}
          game={game}
          phase={phase}
          results={results}
          daily={daily}
          isRecorded={snapshot.isRecorded}
          place={phase.status !== "incomplete" && renderPlace?.(phase.episode)}
        >
          {daily === null && key}
          {hasOptions && <OptionsPicker game={game} />}
        </EndedContent>
      );
    case "episode-lost":
      return (
        <Panel title={i18n._("Game ended")}>
          <p className="mt-3 text-pretty">
            {i18n._("The game ended while you were disconnected.")}{" "}
            <RecordedNote isRecorded={snapshot.isRecorded} />
          </p>
          <Actions>
            {daily === null && (
              <Button onClick={() => engine.start()}>{i18n._("Play again")}</Button>
            )}
            <GamesLink />
          </Actions>
        </Panel>
      );
    case "reconnecting":
      return (
        <Panel title={i18n._(reconnectingTitle(phase))}>
          <p className="mt-3 text-pretty">{phase.message}</p>
          <Actions>
            <ReconnectButton cause={phase.cause} onClick={() => engine.reconnectNow()} />
            <GamesLink />
          </Actions>
        </Panel>
      );
    case "closed":
      return <ClosedContent closeReason={phase.closeReason} gameId={game.id} onReopen={onReopen} />;
    default:
      return null;
  }
}

interface EndedProps extends Pick<Props, "engine" | "game" | "results" | "daily"> {
  phase: Extract<Phase, { kind: "ended" }>;
  isRecorded: boolean;
  /** The place on a board, or nothing. */
  place: ReactNode;
  children: ReactNode;
}

function EndedContent({
  engine,
  game,
  phase,
  results,
  daily,
  isRecorded,
  place,
  children,
}: EndedProps) {
  const { i18n } = useLingui();
  return (
    <EpisodeEnd phase={phase} game={game} results={results}>
      {isRecorded ? place : <NotRecorded game={game} />}
      <Actions>
        {daily === null ? (
          <Button onClick={() => engine.start()}>{i18n._("Play again")}</Button>
        ) : (
          <Link className={buttonClass("action")} to={paths.daily}>
            {i18n._("Daily board")}
          </Link>
        )}
        {isRecorded && (
          <Link
            className={buttonClass("plain")}
            to={paths.replay(phase.episode)}
            state={{ justEnded: true }}
          >
            {i18n._("Watch replay")}
          </Link>
        )}
        <GamesLink />
      </Actions>
      {children}
    </EpisodeEnd>
  );
}

interface ClosedProps extends Pick<Props, "onReopen"> {
  closeReason: Extract<Phase, { kind: "closed" }>["closeReason"];
  gameId: string;
}

function ClosedContent({ closeReason, gameId, onReopen }: ClosedProps) {
  const { i18n } = useLingui();
  return (
    <Panel title={closeReason.title ?? i18n._("Game stopped")}>
      <p className="mt-3 text-pretty">{closeReason.message}</p>
      <Actions>
        {closeReason.help === "reopen" && (
          <Button onClick={onReopen}>{closeReason.actionLabel ?? i18n._("Reopen the game")}</Button>
        )}
        {closeReason.help === "sign-in" && (
          <Link className={buttonClass("action")} to={paths.signIn(paths.play(gameId))}>
            {i18n._("Sign in")}
          </Link>
        )}
        {closeReason.help === "consent" && (
          <Link className={buttonClass("action")} to={paths.consent(paths.play(gameId))}>
            {i18n._("Answer")}
          </Link>
        )}
        <GamesLink />
      </Actions>
    </Panel>
  );
}

const RecordedNote = ({ isRecorded }: { isRecorded: boolean }) => {
  const { i18n } = useLingui();
  return isRecorded && i18n._("Everything you played was recorded.");
};

/** Says that the player plays without recording, with the way to change that. */
function NotRecorded({ game }: { game: Game }) {
  const { i18n } = useLingui();
  return (
    <p data-testid="not-recorded" className="mt-3 text-pretty">
      {i18n._("Your games are not recorded.")}{" "}
      <Link className="font-bold underline" to={paths.consent(paths.play(game.id))}>
        {i18n._("Change")}
      </Link>
    </p>
  );
}

const GamesLink = () => {
  const { i18n } = useLingui();
  return (
    <Link to={paths.games} className={buttonClass("plain")}>
      {i18n._("All games")}
    </Link>
  );
};

const LeaveButton = ({ engine }: { engine: Engine }) => {
  const { i18n } = useLingui();
  return (
    <Button look="plain" onClick={() => engine.leave()}>
      {i18n._("Quit")}
    </Button>
  );
};

function ReconnectButton({ cause, onClick }: { cause: ReconnectCause; onClick: () => void }) {
  const { i18n } = useLingui();
  if (cause === "moving") return null; // the page is connected, and the server answers as soon as it can
  return (
    <Button look="action" onClick={onClick}>
      {cause === "websocket-blocked" ? i18n._("Try again") : i18n._("Reconnect")}
    </Button>
  );
}

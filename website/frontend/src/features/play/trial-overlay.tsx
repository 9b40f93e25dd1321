import { useLingui } from "@lingui/react";
import type { Game } from "@/api/client";
import { Button } from "@/components/button";
import { formatScore } from "@/lib/format";
import type { Engine, Phase, Snapshot } from "@/play/engine";

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
  label: string;
  text: string;
  touch: boolean;
  onEnded: () => void;
  onReopen: () => void;
}

/** Overlay on the screen of a study's game while it does not run. */
export function TrialOverlay(props: Props) {
  const { phase } = props.snapshot;
  return (
    <OverlayFrame kind={phase.kind}>
      <Content {...props} phase={phase} />
    </OverlayFrame>
  );
}

function Content(props: Props & { phase: Phase }) {
  const { i18n } = useLingui();
  const { engine, game, phase, label, text, touch, onEnded, onReopen } = props;
  const key = touch ? null : <Hint>{i18n._("or press Enter")}</Hint>;
  switch (phase.kind) {
    case "connecting":
      return <Panel title={i18n._("Loading…")} />;
    case "ready":
      return (
        <Panel title={game.name}>
          <p className="mt-3 font-bold">{label}</p>
          {text !== "" && <p className="mt-3 text-pretty">{text}</p>}
          <Button className="mt-6 text-lg" onClick={() => engine.start()}>
            {i18n._("Start")}
          </Button>
          {key}
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
          </Actions>
          {key}
        </Panel>
      );
    case "ended":
      return (
        <div data-testid="ending" data-status={phase.status}>
          <Panel title={phase.status === "won" ? i18n._("You won!") : i18n._("Game over")}>
            {game.show.score && (
              <p className="mt-2 dots text-[clamp(2.75rem,8vw,5rem)] leading-none text-phosphor">
                {formatScore(phase.score)}
              </p>
            )}
            <ContinueButton onEnded={onEnded} />
          </Panel>
        </div>
      );
    case "episode-lost":
      return (
        <Panel title={i18n._("Game ended")}>
          <p className="mt-3 text-pretty">
            {i18n._("The game ended while you were disconnected.")}
          </p>
          <ContinueButton onEnded={onEnded} />
        </Panel>
      );
    case "reconnecting":
      return (
        <Panel title={i18n._(reconnectingTitle(phase))}>
          <p className="mt-3 text-pretty">{phase.message}</p>
          <Actions>
            {phase.cause !== "moving" && (
              <Button onClick={() => engine.reconnectNow()}>{i18n._("Reconnect")}</Button>
            )}
          </Actions>
        </Panel>
      );
    case "closed":
      return (
        <Panel title={phase.closeReason.title ?? i18n._("Game stopped")}>
          <p className="mt-3 text-pretty">{phase.closeReason.message}</p>
          <Actions>
            <Button onClick={onReopen}>{i18n._("Open the game again")}</Button>
          </Actions>
        </Panel>
      );
    default:
      return null;
  }
}

function ContinueButton({ onEnded }: { onEnded: () => void }) {
  const { i18n } = useLingui();
  return (
    <Actions>
      <Button onClick={onEnded}>{i18n._("Continue")}</Button>
    </Actions>
  );
}

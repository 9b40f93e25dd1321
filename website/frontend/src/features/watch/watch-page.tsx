import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import {
  type CSSProperties,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";

import { watchUrl } from "@/api/client";
import { watchSocketQuery } from "@/api/watch";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { ThemeButton } from "@/components/theme-button";
import { Title } from "@/components/title";
import { HomeLink } from "@/components/wordmark";
import { fitPicture, type Fit } from "@/lib/fit";
import { formatScore } from "@/lib/format";
import { browserPlatform } from "@/play/platform";
import { openWatchSocket } from "@/play/remote/socket";
import { WatchConnection, type WatchStatus } from "@/play/watch/watch-connection";
import { WatchPlayer, type WatchState } from "@/play/watch/watch-player";

/** Page on which somebody watches a game live, by the link of its player. */
export function WatchPage({ token }: { token: string }) {
  const socket = useQuery(watchSocketQuery(token));
  if (socket.isPending) return <LoadingPage />;
  // Without an answer the game may still be one of the server that the page talks to.
  return <ConnectedPage token={token} origin={socket.data ?? null} />;
}

function ConnectedPage({ token, origin }: { token: string; origin: string | null }) {
  const player = useMemo(() => new WatchPlayer(browserPlatform), []);
  const connection = useMemo(
    () =>
      new WatchConnection({
        platform: browserPlatform,
        openSocket: openWatchSocket,
        url: watchUrl(origin),
        token,
        player,
      }),
    [token, origin, player],
  );
  useEffect(() => {
    connection.open();
    return () => connection.close();
  }, [connection]);
  useEffect(() => () => player.close(), [player]);
  const { status } = useSyncExternalStore(
    connection.status.subscribe,
    connection.status.getSnapshot,
  );
  const state = useSyncExternalStore(player.state.subscribe, player.state.getSnapshot);
  if (state.game === null) return <WithoutGame status={status} />;
  return <Watched {...{ status, state, player }} game={state.game} />;
}

/** The page before a game is seen, or if there is none. */
const WithoutGame = ({ status }: { status: WatchStatus }) => {
  const { i18n } = useLingui();
  return status.kind === "closed" ? (
    <NotAvailablePage title={i18n._("Nothing to watch")} message={status.message} />
  ) : (
    <LoadingPage />
  );
};

interface WatchedProps {
  status: WatchStatus;
  state: WatchState;
  game: NonNullable<WatchState["game"]>;
  player: WatchPlayer;
}

function Watched({ status, state, game, player }: WatchedProps) {
  const { i18n } = useLingui();
  const text = describeStatus(i18n, status, state);
  const isLive =
    status.kind === "live" &&
    state.scene?.phase === "playing" &&
    !state.scene.is_away &&
    state.size !== null;
  return (
    <div style={{ "--hue": "var(--marigold)" } as CSSProperties} className="flex h-dvh flex-col">
      <Title>{i18n._("Watching {name}", { name: game.name })}</Title>
      <header className="z-20 flex h-14 shrink-0 items-center gap-1 pr-2 marquee sm:h-16 sm:pr-4">
        <HomeLink />
        <h1 className="line-clamp-2 min-w-0 flex-1 px-3 text-[clamp(1.25rem,3.6vw,2.6rem)] sign text-balance sm:px-5">
          {game.name}
          <span className="sr-only">{i18n._(", live")}</span>
        </h1>
        <span
          aria-hidden="true"
          data-testid="live"
          data-live={isLive}
          className="mx-1 rounded-full border border-current px-2.5 py-0.5 text-xs font-bold"
        >
          {isLive ? i18n._("Live") : i18n._("Waiting")}
        </span>
        <ThemeButton />
      </header>
      <main
        data-theme="dark"
        className="flex min-h-0 flex-1 flex-col gap-3 p-3 text-ink glow sm:px-5 sm:py-4"
      >
        <dl className="flex items-end justify-between gap-4 px-1 text-phosphor">
          {game.has_score && <Value name={i18n._("Score")} value={formatScore(state.score)} />}
          {state.lives !== null && <Value name={i18n._("Lives")} value={String(state.lives)} />}
        </dl>
        {state.scene !== null && state.scene.caption !== "" && (
          <p className="text-center font-semibold text-phosphor">{state.scene.caption}</p>
        )}
        <div className="relative min-h-0 flex-1">
          <WatchScreen {...{ game, player }} size={state.size} />
        </div>
        <p
          role="status"
          className={`mx-auto rounded-full bg-black/70 px-4 py-1.5 text-center ${isLive ? "sr-only" : ""}`}
        >
          {text}
        </p>
      </main>
    </div>
  );
}

function Value({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt className="text-xs font-semibold text-dim">{name}</dt>
      <dd className="dots text-[clamp(1.75rem,3.4vw,2.75rem)] leading-none">{value}</dd>
    </div>
  );
}

function describeStatus(i18n: I18n, status: WatchStatus, { scene, size }: WatchState): string {
  if (status.kind === "closed") return status.message;
  if (status.kind === "reconnecting") return i18n._("The connection was lost. Reconnecting…");
  if (scene === null) return i18n._("Loading…");
  if (scene.is_away) return i18n._("The player is disconnected. The game waits for them.");
  switch (scene.phase) {
    case "playing":
      return size === null ? i18n._("Loading…") : i18n._("Live");
    case "paused":
      return i18n._("Paused by the player.");
    case "ended":
      return i18n._("This round is over. The next one is shown when the player starts it.");
    case "ready":
      return i18n._("The player has not started yet.");
  }
}

interface ScreenProps {
  game: NonNullable<WatchState["game"]>;
  size: WatchState["size"];
  player: WatchPlayer;
}

function WatchScreen({ game, size, player }: ScreenProps) {
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fit, setFit] = useState<Fit | null>(null);
  useEffect(() => (canvas.current === null ? undefined : player.attach(canvas.current)), [player]);
  useLayoutEffect(() => {
    const here = place.current;
    if (here === null || size === null) return;
    const observer = new ResizeObserver(() => {
      const space = { width: here.clientWidth, height: here.clientHeight };
      setFit(fitPicture(size, space, game.pixel_aspect, devicePixelRatio));
    });
    observer.observe(here);
    return () => observer.disconnect();
  }, [size, game.pixel_aspect]);
  return (
    <div ref={place} className="absolute inset-0 grid place-items-center">
      <div
        className="rounded-sm shadow-[0_0_0_1px_rgb(255_255_255/8%)]"
        style={fit === null ? { visibility: "hidden" } : { width: fit.width, height: fit.height }}
      >
        <canvas
          ref={canvas}
          data-testid="watch-screen"
          className={`size-full rounded-sm ${game.smooth ? "" : "[image-rendering:pixelated]"}`}
        >
          {i18n._("Live picture of {name}", { name: game.name })}
        </canvas>
      </div>
    </div>
  );
}

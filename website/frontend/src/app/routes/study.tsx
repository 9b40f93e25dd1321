import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useParams } from "react-router";

import { gameQuery } from "@/api/queries";
import { type StudyGames, trialTicket } from "@/api/studies";
import { Message } from "@/components/message";
import { LoadingPage } from "@/components/page-state";
import { type TrialGhost, TrialPage } from "@/features/play/trial-page";
import { StudyView } from "@/features/study/study-view";

const TrialWithGhost = lazy(async () => ({
  default: (await import("@/features/play/ghost/trial-ghost")).TrialWithGhost,
}));

export function StudyRoute() {
  const { name = "" } = useParams();
  return (
    <StudyView
      key={name}
      name={name}
      renderTrial={(stage, onEnded) => <Trial stage={stage} onEnded={onEnded} />}
    />
  );
}

function Trial({ stage, onEnded }: { stage: StudyGames; onEnded: () => void }) {
  const { i18n } = useLingui();
  const game = useQuery(gameQuery(stage.game_id));
  if (game.isPending) return <LoadingPage />;
  if (game.isLoadingError)
    return (
      <Message isError isPage title={i18n._("Cannot load the game")}>
        {game.error.message}
      </Message>
    );
  const label =
    stage.n_trials === null
      ? i18n._("{share} played", {
          share: i18n.number(stage.progress, { style: "percent", maximumFractionDigits: 0 }),
        })
      : i18n._("Game {number} of {count}", { number: stage.trial + 1, count: stage.n_trials });
  const renderPage = (ghost: TrialGhost | null) => (
    <TrialPage
      game={game.data}
      options={stage.options}
      label={stage.kind === "practice" ? i18n._("Practice. {label}", { label }) : label}
      text={stage.text}
      getTicket={trialTicket}
      sound={stage.sound}
      ghost={ghost}
      onEnded={onEnded}
    />
  );
  if (stage.ghost === null) return renderPage(null);
  return (
    <Suspense fallback={<LoadingPage />}>
      <TrialWithGhost episode={stage.ghost}>{renderPage}</TrialWithGhost>
    </Suspense>
  );
}

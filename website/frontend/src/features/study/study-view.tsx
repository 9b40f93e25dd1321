import { translateServerText } from "@/lib/server-texts";
import { useLingui } from "@lingui/react";
import { type ReactNode, useEffect, useState } from "react";

import type { StudyGames, StudyPage } from "@/api/studies";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { LoadingPage } from "@/components/page-state";
import { Title } from "@/components/title";
import { chooseLanguage } from "@/lib/language";

import { Completion } from "./completion";
import { ConsentStage } from "./consent-stage";
import { DebriefStage } from "./debrief-stage";
import { InstructionsStage } from "./instructions-stage";
import { QuestionnaireStage } from "./questionnaire-stage";
import { ReturnStage } from "./return-stage";
import { ScreeningStage } from "./screening-stage";
import { StudyFooter } from "./study-footer";
import { type Participation, useStudy } from "./use-study";

interface Props {
  name: string;
  /** Renders the page of a game. */
  renderTrial: (stage: StudyGames, onEnded: () => void) => ReactNode;
}

/** Page of a study: the participant's current stage. */
export function StudyView({ name, renderTrial }: Props) {
  const { i18n } = useLingui();
  const participation = useStudy(name);
  const [isWithdrawn, setWithdrawn] = useState(false);
  const { page, error, resume } = participation;
  if (isWithdrawn)
    return (
      <main className="px-4">
        <Title>{i18n._("Withdrawn")}</Title>
        <Message isPage title={i18n._("You have withdrawn")}>
          {i18n._(
            "Everything that was recorded of you in this study is being deleted. You can close this page.",
          )}
        </Message>
      </main>
    );
  if (page === null) return error === null ? <LoadingPage /> : <NotAvailable error={error} />;
  const footer = <StudyFooter page={page} resume={resume} onWithdrawn={() => setWithdrawn(true)} />;
  if (page.stage?.kind === "games" || page.stage?.kind === "practice")
    return (
      <>
        <Title>{page.study.title}</Title>
        <Games
          key={page.stage.name}
          stage={page.stage}
          isSaving={page.is_saving}
          participation={participation}
          renderTrial={renderTrial}
        />
        {footer}
      </>
    );
  return (
    <div className="flex min-h-dvh flex-col">
      <Title>{page.study.title}</Title>
      <StudyHeader page={page} />
      <main className="mx-auto w-full max-w-3xl flex-1 px-4 py-6 sm:py-10">
        {page.message !== "" && page.completion === null && (
          <p role="alert" className="mb-4 rounded-xl bg-raised p-4 font-semibold">
            {translateServerText(page.message)}
          </p>
        )}
        <StageContent page={page} participation={participation} />
        <Status participation={participation} />
      </main>
      {footer}
    </div>
  );
}

function StudyHeader({
  page: { study, number, n_stages: count, completion },
}: {
  page: StudyPage;
}) {
  const { i18n } = useLingui();
  return (
    <header className="border-b border-line/60">
      <div className="mx-auto flex min-h-14 max-w-3xl flex-wrap items-center gap-x-4 px-4 py-2">
        <p className="flex-1 text-xl sign">{study.title}</p>
        {count !== null && completion === null && (
          <p className="text-sm text-dim">
            {i18n._("Part {number} of {count}", { number: number + 1, count })}
          </p>
        )}
      </div>
    </header>
  );
}

function StageContent({ page, participation }: { page: StudyPage; participation: Participation }) {
  const { answer, reload, isBusy } = participation;
  const { stage, completion } = page;
  if (completion !== null)
    return <Completion page={page} completion={completion} isNew={participation.hasJustEnded} />;
  // The key makes a new attempt a new form.
  const key = `${stage?.name ?? ""} ${page.message}`;
  switch (stage?.kind) {
    case "consent":
      return (
        <ConsentStage
          key={stage.sha256}
          {...{ stage, isBusy }}
          onAnswer={answer}
          onLanguage={(tag) => {
            void chooseLanguage(tag);
            reload();
          }}
        />
      );
    case "screening":
      return <ScreeningStage key={key} stage={stage} isBusy={isBusy} onAnswer={answer} />;
    case "instructions":
      return <InstructionsStage key={key} stage={stage} isBusy={isBusy} onAnswer={answer} />;
    case "questionnaire":
      return <QuestionnaireStage key={key} stage={stage} isBusy={isBusy} onAnswer={answer} />;
    case "return":
      return <ReturnStage stage={stage} isBusy={isBusy} onAnswer={answer} onReload={reload} />;
    case "debrief":
      return <DebriefStage key={key} stage={stage} isBusy={isBusy} onAnswer={answer} />;
    default:
      return null;
  }
}

/** Says that something is being saved, or why it could not be sent. */
function Status({ participation: { isSaving, error } }: { participation: Participation }) {
  const { i18n } = useLingui();
  return (
    <>
      <p role="status" className="mt-4 text-dim">
        {isSaving && i18n._("Saving your last game…")}
      </p>
      {error !== null && (
        <p role="alert" className="mt-4 font-semibold text-link">
          {error.message}
        </p>
      )}
    </>
  );
}

interface GamesProps {
  stage: StudyGames;
  /** True if a game of an earlier visit is still being saved, so that the next one must wait. */
  isSaving: boolean;
  participation: Participation;
  renderTrial: Props["renderTrial"];
}

/** The trials of a stage, with the pauses between them. */
function Games({ stage, isSaving, participation, renderTrial }: GamesProps) {
  const { i18n } = useLingui();
  const { answer, isBusy, error } = participation;
  const [count, setCount] = useState(0);
  const rest = useCountdown(stage.wait_seconds, count);
  const { is_done: isDone } = stage;
  useEffect(() => {
    if (isDone || isSaving) answer();
  }, [isDone, isSaving, answer]);
  if (isBusy || isDone || isSaving || error !== null)
    return (
      <main className="grid min-h-[70dvh] place-items-center px-4 text-center">
        <div>
          <h1 className="text-3xl sign">
            {error === null ? i18n._("Saving your game…") : i18n._("Not saved yet")}
          </h1>
          <p role="status" className="mt-3 text-dim">
            {error === null ? i18n._("This takes a few seconds.") : error.message}
          </p>
          {error !== null && (
            <Button className="mt-6" onClick={() => answer()}>
              {i18n._("Try again")}
            </Button>
          )}
        </div>
      </main>
    );
  if (rest > 0)
    return (
      <main className="grid min-h-[70dvh] place-items-center px-4 text-center">
        <div>
          <h1 className="text-3xl sign">{i18n._("Take a break")}</h1>
          <p className="mt-3 text-dim">
            {i18n._(
              "The next game can start in {seconds, plural, one {# second} other {# seconds}}.",
              { seconds: Math.ceil(rest) },
            )}
          </p>
        </div>
      </main>
    );
  return (
    <div key={count}>
      {renderTrial(stage, () => {
        setCount(count + 1);
        answer();
      })}
    </div>
  );
}

/** Returns the seconds that are left. It begins again when `seconds` or `key` changes. */
function useCountdown(seconds: number, key: number): number {
  const [rest, setRest] = useState(seconds);
  useEffect(() => {
    const end = performance.now() + seconds * 1000;
    const update = () => setRest(Math.max(0, (end - performance.now()) / 1000));
    update();
    const timer = setInterval(update, 250);
    return () => clearInterval(timer);
  }, [seconds, key]);
  return rest;
}

function NotAvailable({ error }: { error: Error }) {
  const { i18n } = useLingui();
  return (
    <main className="px-4">
      <Title>{i18n._("Study not available")}</Title>
      <Message
        isError
        isPage
        title={i18n._("Study not available")}
        action={<Button onClick={() => location.reload()}>{i18n._("Try again")}</Button>}
      >
        {error.message}
      </Message>
    </main>
  );
}

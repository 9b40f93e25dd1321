import { useLingui } from "@lingui/react";
import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  type CSSProperties,
  type ReactNode,
  useCallback,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react";
import { Link } from "react-router";

import {
  answerJudgement,
  judgementQuery,
  type JudgementRequest,
  type JudgementState,
  type JudgementTask,
  loadClip,
  undoJudgement,
} from "@/api/judgements";
import { ApiError } from "@/api/client";
import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { ThemeButton } from "@/components/theme-button";
import { Title } from "@/components/title";
import { HomeLink } from "@/components/wordmark";
import { paths } from "@/config/paths";
import { usePrefersReducedMotion } from "@/lib/media";
import { ClipPlayer } from "@/play/judge/clip-player";
import { browserPlatform } from "@/play/platform";

import { AnswerButton, Answers, useSideNames } from "./answers";
import { ClipScreen } from "./clip-screen";
import { type Action, PAIR_KEYS, RATING_KEYS, SLIDER_KEYS, useJudgeKeys } from "./keys";

interface Props {
  userId: string;
  name: string;
}

/** Page on which a judge compares or rates clips, one item after the other. */
export function JudgePage({ userId, name }: Props) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const query = judgementQuery(userId, name);
  const set = useQuery(query);
  const clips = useClips(userId, name, set.data?.tasks ?? []);
  const onSettled = (state: JudgementState | undefined) => {
    if (state !== undefined) client.setQueryData(query.queryKey, state);
  };
  const answer = useMutation({
    mutationFn: (body: JudgementRequest) => answerJudgement(name, body),
    onSettled,
  });
  const undo = useMutation({ mutationFn: () => undoJudgement(name), onSettled });
  if (set.isPending) return <LoadingPage />;
  if (set.isLoadingError) return <Failure error={set.error} name={name} />;
  const task = set.data.tasks[0];
  const isSending = answer.isPending || undo.isPending;
  const error = answer.error ?? undo.error;
  return (
    <Frame set={set.data}>
      {error !== null && (
        <p role="alert" className="mx-auto rounded-xl bg-black/85 px-5 py-3 text-center text-white">
          {error.message}
        </p>
      )}
      {task === undefined ? (
        <AllDone set={set.data} onUndo={() => undo.mutate()} isSending={isSending} />
      ) : clips.error !== null ? (
        <Message
          isError
          title={i18n._("Cannot load the clips")}
          action={
            <button type="button" className={buttonClass("action")} onClick={clips.retry}>
              {i18n._("Try again")}
            </button>
          }
        >
          {clips.error.message}
        </Message>
      ) : clips.files === null ? (
        <p role="status" className="m-auto text-lg text-dim">
          {i18n._("Loading…")}
        </p>
      ) : (
        <Task
          // An item that is undone at once, too, begins anew.
          key={`${String(task.number)}-${String(set.data.n_answered)}`}
          {...{ set: set.data, task, isSending }}
          files={clips.files}
          onAnswer={(body) => answer.mutate(body)}
          onUndo={() => undo.mutate()}
        />
      )}
    </Frame>
  );
}

interface Clips {
  files: readonly ArrayBuffer[] | null;
  error: Error | null;
  retry: () => void;
}

/** Loads the clips of the first item, and those of the next one in advance. */
function useClips(userId: string, name: string, tasks: readonly JudgementTask[]): Clips {
  const results = useQueries({
    queries: tasks.flatMap(({ clips }) =>
      clips.map((path) => ({
        queryKey: ["judge", userId, name, path],
        queryFn: ({ signal }: { signal: AbortSignal }) => loadClip(path, signal),
        staleTime: Infinity,
        gcTime: 60_000,
        structuralSharing: false,
      })),
    ),
  });
  const wanted = results.slice(0, tasks[0]?.clips.length ?? 0);
  const files = wanted.flatMap(({ data }) => (data === undefined ? [] : [data]));
  return {
    files: files.length === wanted.length && files.length > 0 ? files : null,
    error: wanted.find(({ error }) => error !== null)?.error ?? null,
    retry: () => {
      for (const result of wanted) if (result.isError) void result.refetch();
    },
  };
}

interface TaskProps {
  set: JudgementState;
  task: JudgementTask;
  files: readonly ArrayBuffer[];
  isSending: boolean;
  onAnswer: (body: JudgementRequest) => void;
  onUndo: () => void;
}

function Task({ set, task, files, isSending, onAnswer, onUndo }: TaskProps) {
  const { i18n } = useLingui();
  const isStill = usePrefersReducedMotion();
  // The clips of an item do not change: the key of this component contains the item.
  const [player] = useState(() => new ClipPlayer(browserPlatform, files, set.frames_per_second));
  useEffect(() => {
    if (!isStill) player.play();
    return () => player.close();
  }, [player, isStill]);
  const { isPlaying } = useSyncExternalStore(player.state.subscribe, player.state.getSnapshot);
  const act = useCallback(
    (action: Action) => {
      if (action.kind === "toggle") player.toggle();
      else if (action.kind === "restart") player.restart();
      else if (isSending) return;
      else if (action.kind === "undo") onUndo();
      else {
        const elapsed = player.elapsedMs();
        // Nobody can judge what was not painted yet.
        if (elapsed === null) return;
        onAnswer({
          number: task.number,
          answer: action.answer,
          rating: action.rating,
          reaction_ms: Math.round(elapsed),
          n_plays: player.state.getSnapshot().plays,
        });
      }
    },
    [player, isSending, onAnswer, onUndo, task.number],
  );
  const keys = set.kind === "pair" ? PAIR_KEYS : set.scale === "1-5" ? RATING_KEYS : SLIDER_KEYS;
  useJudgeKeys(keys, act);
  const sides = useSideNames();
  const labels = set.kind === "pair" ? sides : [i18n._("Clip")];
  return (
    <>
      <div className="flex min-h-0 flex-1 flex-col gap-2 sm:flex-row sm:gap-4">
        {labels.map((label, index) => (
          <ClipScreen key={index} {...{ set, player, index, label }} />
        ))}
      </div>
      <Answers set={set} isDisabled={isSending} act={act} />
      <div className="flex flex-wrap items-center justify-center gap-2">
        <AnswerButton code="Space" look="quiet" isDisabled={false} onClick={() => player.toggle()}>
          {isPlaying ? i18n._("Pause") : i18n._("Play")}
        </AnswerButton>
        <AnswerButton code="KeyR" look="quiet" isDisabled={false} onClick={() => player.restart()}>
          {i18n._("Again")}
        </AnswerButton>
        <AnswerButton
          code="KeyU"
          look="quiet"
          isDisabled={isSending || set.n_answered === 0}
          onClick={onUndo}
        >
          {i18n._("Undo")}
        </AnswerButton>
      </div>
    </>
  );
}

function Frame({ set, children }: { set: JudgementState; children: ReactNode }) {
  const { i18n } = useLingui();
  const { n_items: count, n_answered: answered } = set;
  const progress = i18n._("{answered} of {count} answered", {
    answered: i18n.number(answered),
    count: i18n.number(count),
  });
  const question =
    set.question !== ""
      ? set.question
      : set.kind === "pair"
        ? i18n._("In which clip is the game played better?")
        : i18n._("How well is the game played?");
  return (
    <div style={{ "--hue": "var(--teal)" } as CSSProperties} className="flex h-dvh flex-col">
      <Title>{i18n._("Judge clips")}</Title>
      <header className="z-20 flex h-14 shrink-0 items-center gap-1 pr-2 marquee sm:h-16 sm:pr-4">
        <HomeLink />
        <h1 className="line-clamp-2 min-w-0 flex-1 px-3 text-[clamp(1.25rem,3vw,2.25rem)] sign text-balance sm:px-5">
          {set.game}
        </h1>
        <ThemeButton />
      </header>
      <main
        data-theme="dark"
        className="flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto p-3 text-ink glow sm:px-5 sm:py-4"
      >
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1">
          <h2 className="text-lg font-semibold text-pretty">{question}</h2>
          <div className="flex items-center gap-3">
            <progress
              aria-label={i18n._("Progress")}
              max={Math.max(count, 1)}
              value={answered}
              className="h-3 w-28 accent-action"
            />
            <span role="status" className="text-sm text-dim">
              {progress}
            </span>
          </div>
        </div>
        {children}
      </main>
    </div>
  );
}

interface AllDoneProps {
  set: JudgementState;
  onUndo: () => void;
  isSending: boolean;
}

function AllDone({ set, onUndo, isSending }: AllDoneProps) {
  const { i18n } = useLingui();
  return (
    <Message
      title={set.n_items === 0 ? i18n._("No clips to judge") : i18n._("All clips judged")}
      action={
        <>
          <Link to={paths.games} className={buttonClass("action")}>
            {i18n._("All games")}
          </Link>
          {set.n_answered > 0 && (
            <button
              type="button"
              disabled={isSending}
              className={buttonClass("plain")}
              onClick={onUndo}
            >
              {i18n._("Undo the last answer")}
            </button>
          )}
        </>
      }
    >
      {set.n_items === 0
        ? i18n._("The players of these clips do not allow it any more.")
        : i18n._("Thank you. Your answers are stored.")}
    </Message>
  );
}

function Failure({ error, name }: { error: Error; name: string }) {
  const { i18n } = useLingui();
  const needsConsent = error instanceof ApiError && error.code === "ConsentRequired";
  return (
    <NotAvailablePage
      title={i18n._("Cannot judge these clips")}
      message={
        error instanceof ApiError && error.status === 404
          ? i18n._("There is no such set of clips. Check the address.")
          : error.message
      }
      {...(needsConsent && {
        link: { to: paths.consent(paths.judge(name)), label: i18n._("Allow recording") },
      })}
    />
  );
}

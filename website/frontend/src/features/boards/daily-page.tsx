import { Trans, useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { dailyBoardQuery, type DailyChallenge, dailyQuery } from "@/api/boards";
import { useSession } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";

import { Countdown } from "./countdown";
import { OptInHint } from "./opt-in-hint";
import { makeShareText } from "./share-text";
import { Standings } from "./standings";

/** Today's challenge: its board, a text to share, and the proof that its seed was fixed before. */
export function DailyView() {
  const { i18n } = useLingui();
  const session = useSession();
  const daily = useQuery(dailyQuery(session?.userId ?? null));
  if (daily.isPending) {
    return (
      <p role="status" className="py-20 text-center text-lg text-dim">
        {i18n._("Loading…")}
      </p>
    );
  }
  if (daily.isLoadingError) {
    return (
      <Message
        isError
        isPage
        title={i18n._("Cannot load the daily challenge")}
        action={<Button onClick={() => void daily.refetch()}>{i18n._("Try again")}</Button>}
      >
        {daily.error.message}
      </Message>
    );
  }
  const challenge = daily.data;
  return (
    <div className="max-w-5xl pt-10">
      <Title>{i18n._("Daily challenge")}</Title>
      <p className="text-lg text-dim">{i18n._("Daily challenge, {day}", { day: challenge.day })}</p>
      <h1 className="mt-1 text-5xl sign text-balance sm:text-7xl">{challenge.game_name}</h1>
      <p className="mt-3 max-w-prose text-pretty">
        {i18n._("Everyone plays the same game, and the first try counts.")}{" "}
        {challenge.sticky_actions &&
          i18n._("Sticky actions are on: now and then the game repeats your last action.")}{" "}
        <Trans
          id="Ends in <0/>, at midnight UTC."
          components={[
            <Countdown key="time" until={challenge.time_ends} onEnd={() => void daily.refetch()} />,
          ]}
        />
      </p>
      <p className="mt-5 flex flex-wrap gap-3">
        {challenge.has_tried === true ? (
          <ShareButton challenge={challenge} />
        ) : (
          <Link
            to={paths.playDaily(challenge.game_id, challenge.day)}
            className={buttonClass("action")}
          >
            {i18n._("Play today’s challenge")}
          </Link>
        )}
        <Link to={paths.boards} className={buttonClass("plain")}>
          {i18n._("All leaderboards")}
        </Link>
      </p>
      <DailyBoard challenge={challenge} />
      <Proof challenge={challenge} />
    </div>
  );
}

function DailyBoard({ challenge }: { challenge: DailyChallenge }) {
  const { i18n } = useLingui();
  const session = useSession();
  const board = useQuery({
    ...dailyBoardQuery(session?.userId ?? null, challenge.day),
    refetchInterval: 30_000,
  });
  return (
    <>
      {board.data !== undefined &&
        (board.data.rows.length === 0 ? (
          <Message title={i18n._("Nobody ranks yet")}>
            {i18n._("The first certified try takes the lead.")}
          </Message>
        ) : (
          <Standings
            board={board.data}
            now={board.dataUpdatedAt}
            mayWatch={challenge.has_tried === true}
          />
        ))}
      {board.isError && (
        <p role="alert" className="mt-4 text-dim">
          {board.error.message}
        </p>
      )}
      <OptInHint
        isListed={board.data?.is_listed ?? false}
        hasOwn={challenge.own !== null || board.data === undefined}
      />
    </>
  );
}

function ShareButton({ challenge }: { challenge: DailyChallenge }) {
  const { i18n } = useLingui();
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  const text = makeShareText(challenge, location.origin + paths.daily);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied("yes"),
      () => setCopied("failed"),
    );
  };
  return (
    <>
      <Button onClick={copy}>
        {copied === "yes" ? i18n._("Copied") : i18n._("Copy result to share")}
      </Button>
      <span role="status" className="sr-only">
        {copied === "yes" && i18n._("The result was copied.")}
      </span>
      {copied === "failed" && (
        <textarea
          readOnly
          aria-label={i18n._("Result to share")}
          value={text}
          rows={4}
          className="w-full max-w-md rounded-xl border border-line bg-surface p-3 text-sm"
        />
      )}
    </>
  );
}

/** The commitments before the day and the keys after it. */
function Proof({ challenge }: { challenge: DailyChallenge }) {
  const { i18n } = useLingui();
  const { previous } = challenge;
  return (
    <details className="mt-10 max-w-3xl text-sm">
      <summary className="cursor-pointer rounded font-semibold">
        {i18n._("How the seed is kept fair")}
      </summary>
      <p className="mt-2 text-pretty text-dim">
        {i18n._(
          "The seed follows from a secret key. The key’s SHA-256 is published before the day, and the key itself after it, so that anyone can check that nobody chose the seed later.",
        )}
      </p>
      <dl className="mt-3 grid gap-x-4 gap-y-1.5 sm:grid-cols-[auto_1fr]">
        <Fact name={i18n._("Today’s SHA-256")}>{challenge.commitment}</Fact>
        <Fact name={i18n._("Tomorrow’s SHA-256")}>{challenge.next_commitment}</Fact>
        {previous !== null && (
          <>
            <Fact name={i18n._("Yesterday’s SHA-256")}>{previous.commitment}</Fact>
            <Fact name={i18n._("Yesterday’s key")}>{previous.key}</Fact>
            <Fact
              name={i18n._("Yesterday’s seed")}
            >{`${String(previous.seed)} (${previous.game_id})`}</Fact>
          </>
        )}
      </dl>
    </details>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <>
      <dt className="text-dim">{name}</dt>
      <dd className="min-w-0 font-mono text-xs break-all">{children}</dd>
    </>
  );
}

import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";

import type { Game } from "@/api/client";
import { agentQuery, type AgentVersion } from "@/api/agents";
import { gamesQuery } from "@/api/queries";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { translateServerText } from "@/lib/server-texts";

import { describeFormat, describeObservation } from "./agent-texts";
import { LiveGames } from "./live-games";
import { ScoreCard } from "./score-card";

/** Games of an agent that are linked; the others are counted. */
const MAX_LINKS = 6;

/** An agent: what it is, what it plays now, and its scores beside those of people. */
export function AgentPage({ userId }: { userId: string }) {
  const { i18n } = useLingui();
  const { name = "" } = useParams();
  const agent = useQuery(agentQuery(userId, name));
  const { data: games } = useQuery(gamesQuery);
  if (agent.isPending) {
    return (
      <p role="status" className="py-20 text-center text-lg text-dim">
        {i18n._("Loading…")}
      </p>
    );
  }
  if (agent.isLoadingError) {
    return (
      <>
        <Title>{i18n._("Agent not available")}</Title>
        <Message
          isError
          isPage
          title={i18n._("Cannot load the agent")}
          action={
            <>
              <Button onClick={() => void agent.refetch()}>{i18n._("Try again")}</Button>
              <Link to={paths.agents} className={buttonClass("plain")}>
                {i18n._("All agents")}
              </Link>
            </>
          }
        >
          {agent.error.message}
        </Message>
      </>
    );
  }
  const { summary, versions, live, scores } = agent.data;
  const newest = versions[0];
  return (
    <div className="max-w-5xl pt-10">
      <Title>{i18n._("{name}, agent", { name })}</Title>
      <p>
        <Link to={paths.agents} className="font-semibold text-link underline">
          {i18n._("All agents")}
        </Link>
      </p>
      <h1 className="mt-2 text-5xl sign text-balance break-words sm:text-7xl">{name}</h1>
      {summary !== "" && <p className="mt-3 text-lg text-dim">{translateServerText(summary)}</p>}
      {live.length > 0 && (
        <section aria-labelledby="live" className="mt-8">
          <h2 id="live" className="mb-3 text-3xl sign">
            {i18n._("Playing now")}
          </h2>
          <LiveGames games={live} />
        </section>
      )}
      <TakeOver agent={name} games={games ?? []} />
      <section aria-labelledby="scores" className="mt-8">
        <h2 id="scores" className="text-3xl sign">
          {i18n._("Scores")}
        </h2>
        {scores.length === 0 ? (
          <p className="mt-3 text-dim">{i18n._("It has finished no round yet.")}</p>
        ) : (
          <ul className="mt-3 grid gap-4">
            {scores.map((score) => (
              <ScoreCard
                key={[
                  score.game_id,
                  JSON.stringify(score.options),
                  score.version,
                  score.pace,
                ].join()}
                score={score}
                game={games?.find(({ id }) => id === score.game_id)}
              />
            ))}
          </ul>
        )}
      </section>
      {newest !== undefined && <About version={newest} count={versions.length} />}
    </div>
  );
}

/** Games that the agent can play until one takes over, the first ones of many. */
function TakeOver({ agent, games }: { agent: string; games: readonly Game[] }) {
  const { i18n } = useLingui();
  const possible = games.filter((game) => game.agents.some(({ name }) => name === agent));
  if (possible.length === 0) return null;
  return (
    <section aria-labelledby="take-over" className="mt-8">
      <h2 id="take-over" className="text-3xl sign">
        {i18n._("Play together")}
      </h2>
      <p className="mt-3 text-dim">
        {i18n._("It plays until you press a key, and goes on when you let go.")}
      </p>
      <ul className="mt-3 flex flex-wrap gap-2">
        {possible.slice(0, MAX_LINKS).map((game) => (
          <li key={game.id}>
            <Link to={paths.takeover(game.id, agent)} className={buttonClass("plain")}>
              {game.name}
            </Link>
          </li>
        ))}
      </ul>
      {possible.length > MAX_LINKS && (
        <p className="mt-3 text-dim">
          {i18n._("And in {count} other games, where you choose it before the start.", {
            count: possible.length - MAX_LINKS,
          })}
        </p>
      )}
    </section>
  );
}

function About({ version, count }: { version: AgentVersion; count: number }) {
  const { i18n } = useLingui();
  const facts = Object.entries(version.training);
  return (
    <section aria-labelledby="about" className="mt-10">
      <h2 id="about" className="text-3xl sign">
        {i18n._("What plays")}
      </h2>
      <dl className="mt-3 grid gap-x-6 gap-y-3 sm:grid-cols-[auto_1fr]">
        <Fact term={i18n._("Version")}>
          {i18n._("{number} of {count}", { number: version.number, count })}
        </Fact>
        <Fact term={i18n._("Kind")}>{describeFormat(version.format)}</Fact>
        <Fact term={i18n._("Sees")}>{describeObservation(version.observation)}</Fact>
        <Fact term={i18n._("Licence")}>{version.licence ?? i18n._("not stated")}</Fact>
        {version.entry_point !== null && (
          <Fact term={i18n._("Class")}>
            <code className="break-all">{version.entry_point}</code>
          </Fact>
        )}
        <Fact term="SHA-256">
          <code className="break-all">{version.sha256}</code>
        </Fact>
        {facts.length > 0 && (
          <Fact term={i18n._("Training")}>
            {facts.map(([name, value]) => (
              <span key={name} className="block break-words">
                {name}: {typeof value === "string" ? value : JSON.stringify(value)}
              </span>
            ))}
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-dim">{term}</dt>
      <dd className="min-w-0 max-sm:-mt-2">{children}</dd>
    </>
  );
}

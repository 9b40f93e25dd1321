import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { agentsQuery, type AgentSummary } from "@/api/agents";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { translateServerText } from "@/lib/server-texts";

import { describeFormat } from "./agent-texts";
import { LiveGames } from "./live-games";

/** All agents: what they are, and what they play now. */
export function AgentsList({ userId }: { userId: string }) {
  const { i18n } = useLingui();
  const agents = useQuery(agentsQuery(userId));
  return (
    <div className="pt-10">
      <Title>{i18n._("Agents")}</Title>
      <h1 className="text-5xl sign sm:text-7xl">{i18n._("Agents")}</h1>
      <p className="mt-3 max-w-prose text-lg text-pretty text-dim">
        {i18n._("Programs that play here, recorded like people and never counted as people.")}
      </p>
      {agents.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {agents.isError && (
        <Message
          isError
          title={i18n._("Cannot load the agents")}
          action={<Button onClick={() => void agents.refetch()}>{i18n._("Try again")}</Button>}
        >
          {agents.error.message}
        </Message>
      )}
      {agents.data?.length === 0 && (
        <Message title={i18n._("No agents yet")}>
          {i18n._("The people who run this arcade can add some.")}
        </Message>
      )}
      <ul className="mt-8 grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
        {agents.data?.map((agent) => (
          <AgentCard key={agent.name} agent={agent} />
        ))}
      </ul>
    </div>
  );
}

function AgentCard({ agent }: { agent: AgentSummary }) {
  const { i18n } = useLingui();
  return (
    <li className="flex flex-col gap-3 rounded-2xl bg-surface p-5">
      <h2 className="text-2xl leading-tight font-bold break-words">
        <Link to={paths.agent(agent.name)} className="text-link underline">
          {agent.name}
        </Link>
      </h2>
      {agent.summary !== "" && <p>{translateServerText(agent.summary)}</p>}
      <p className="mt-auto text-sm text-dim">
        {[
          describeFormat(agent.format),
          i18n._("version {number}", { number: agent.version }),
          agent.game_name ??
            i18n._("{count, plural, one {# game} other {# games}}", { count: agent.n_games }),
        ].join(" · ")}
      </p>
      {agent.live.length > 0 && <LiveGames games={agent.live} />}
    </li>
  );
}

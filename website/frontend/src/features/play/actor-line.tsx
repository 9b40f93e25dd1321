import { useLingui } from "@lingui/react";

import type { Actor } from "@/wire/messages";

/** Line above the screen that says who acts. */
export function ActorLine({ actor: { actor, agent } }: { actor: Actor }) {
  const { i18n } = useLingui();
  const isAgent = actor === "agent";
  return (
    <p data-testid="actor" data-actor={actor} className="flex items-center gap-2 px-1 text-sm">
      <span className={`size-3 rounded-full ${isAgent ? "bg-teal" : "bg-marigold"}`} />
      {isAgent
        ? i18n._("{agent} plays. Press a key to take over.", { agent })
        : i18n._("You play. {agent} goes on when you let go.", { agent })}
    </p>
  );
}

import { useLingui } from "@lingui/react";
import { useId } from "react";

import { CopyField } from "@/components/copy-field";
import { paths } from "@/config/paths";
import type { Engine, Snapshot } from "@/play/engine";

interface Props {
  engine: Engine;
  watchable: Snapshot["watchable"];
  /** False while the page has no connection. */
  isConnected: boolean;
}

/** Switch that lets others watch this game live, the link for them, and how many there are. */
export function WatchCard({ engine, watchable, isConnected }: Props) {
  const { i18n } = useLingui();
  const id = useId();
  const { token, n_watchers: count } = watchable;
  return (
    <>
      <div className="flex min-h-11 items-center gap-3">
        <input
          id={id}
          type="checkbox"
          role="switch"
          checked={token !== null}
          disabled={!isConnected}
          onChange={(event) => engine.setWatchable(event.target.checked)}
          className="size-5 shrink-0 accent-[var(--action)]"
        />
        <label htmlFor={id}>{i18n._("Let others watch")}</label>
      </div>
      <p className="text-sm text-pretty text-dim">
        {i18n._(
          "Anyone who has the link sees this game live, without your name. The link ends when you turn this off or leave the game. The recording notes it.",
        )}
      </p>
      {token !== null && (
        <>
          <CopyField
            label={i18n._("Link to watch")}
            value={location.origin + paths.watch(token)}
            testId="watch-link"
          />
          <p role="status" data-testid="watchers" data-count={count} className="mt-3 font-bold">
            {count === 0
              ? i18n._("Nobody is watching.")
              : i18n._("{count, plural, one {# watcher} other {# watchers}} now.", { count })}
          </p>
        </>
      )}
    </>
  );
}

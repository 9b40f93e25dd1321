import { useLingui } from "@lingui/react";
import { Link } from "react-router";

import { paths } from "@/config/paths";

/** The logo: quarter circles in four colours. */
export function Arcs({ className = "" }: { className?: string }) {
  const rings = ["var(--tomato)", "var(--tangerine)", "var(--marigold)", "var(--teal)"];
  return (
    <svg viewBox="0 0 24 24" fill="none" aria-hidden="true" className={className}>
      {rings.map((colour, index) => {
        const radius = 22 - index * 5.4;
        return (
          <path
            key={colour}
            d={`M${24 - radius - 0.1} 24a${radius} ${radius} 0 0 1 ${radius}-${radius}`}
            stroke={colour}
            strokeWidth="3.6"
          />
        );
      })}
    </svg>
  );
}

export function Wordmark() {
  const { i18n } = useLingui();
  return (
    <Link
      to={paths.games}
      className="flex items-center gap-2.5 rounded-lg"
      aria-label={i18n._("Skill Arcade, all games")}
    >
      <Arcs className="size-8" />
      <span className="hidden text-2xl sign uppercase min-[420px]:inline">Skill Arcade</span>
    </Link>
  );
}

/** The corner of a title bar that leads back to all games. */
export function HomeLink() {
  const { i18n } = useLingui();
  return (
    <Link
      to={paths.games}
      aria-label={i18n._("All games")}
      className="grid h-full w-14 shrink-0 place-items-center bg-tube sm:w-16"
    >
      <Arcs className="size-8" />
    </Link>
  );
}

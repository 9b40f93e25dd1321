import { useLingui } from "@lingui/react";
import { useState } from "react";
import { Link } from "react-router";

import type { Game } from "@/api/client";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

interface Props {
  /** null while loading. */
  games: readonly Game[] | null;
  /** The game that was played last. */
  lastPlayed: Game | undefined;
}

/** Heading of the library. */
export function Hero({ games, lastPlayed }: Props) {
  const { i18n } = useLingui();
  const [randomFraction] = useState(Math.random);
  const count = games?.length ?? null;
  const randomGame = games?.[Math.floor(randomFraction * games.length)];
  return (
    <section className="relative isolate mx-[calc(50%-50vw)] mb-8 overflow-hidden px-[calc(50vw-50%)] pt-8 pb-24 sm:pt-10 sm:pb-24 2xl:pb-36">
      <Stripes />
      <h1 className="text-[clamp(3.4rem,16.5vw,5.5rem)] sign uppercase lg:text-[clamp(6rem,9.5vw,10rem)]">
        Skill Arcade
      </h1>
      <div className="mt-4 flex flex-wrap items-center gap-x-8 gap-y-5">
        <p className="max-w-xl text-xl text-pretty text-dim">
          {i18n._(
            "You play the very worlds that machines learn in, and every move you make is recorded for science.",
          )}{" "}
          {count !== 0 && (
            <strong className={count === null ? "invisible" : "text-ink"}>
              {i18n._("{count} games, no coins.", { count: count ?? 100 })}
            </strong>
          )}
        </p>
        <p className="flex flex-wrap gap-3">
          {lastPlayed !== undefined && (
            <Link to={paths.play(lastPlayed.id)} className={buttonClass("action")}>
              {i18n._("Play {name} again", { name: lastPlayed.name })}
            </Link>
          )}
          {count !== 0 && (
            <Link
              to={paths.play(randomGame?.id ?? "")}
              className={`${buttonClass("plain")} ${randomGame === undefined ? "invisible" : ""}`}
            >
              {i18n._("Surprise me")}
            </Link>
          )}
        </p>
      </div>
    </section>
  );
}

const BANDS = ["var(--tomato)", "var(--tangerine)", "var(--marigold)", "var(--teal)"];
const WIDTH = 1600;
const HEIGHT = 320;
const BAND_WIDTH = 13;

/** Decorative stripes. */
function Stripes() {
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="xMaxYMax slice"
      aria-hidden="true"
      className="absolute bottom-0 -z-10 h-60 w-full overflow-visible max-md:translate-x-[7.5rem] lg:h-75"
      fill="none"
      strokeWidth={BAND_WIDTH + 0.5}
    >
      {BANDS.map((colour, index) => {
        const y = HEIGHT - 60 + index * BAND_WIDTH;
        const radius = 90 + index * BAND_WIDTH;
        return (
          <path
            key={colour}
            d={`M-2000 ${y}H${WIDTH - 270}a${radius} ${radius} 0 0 0 ${radius} -${radius}V-400`}
            stroke={colour}
          />
        );
      })}
    </svg>
  );
}

import { Link } from "react-router";

import type { Game } from "@/api/client";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

interface Props {
  count: number;
  /** Played last. */
  last: Game | undefined;
}

/** The sign over the door. */
export function Hero({ count, last }: Props) {
  return (
    <section className="relative isolate mt-4 mb-10 overflow-hidden rounded-3xl sm:mt-6">
      <Sun />
      <div className="max-w-3xl px-1 pt-8 pb-10 sm:pt-14 sm:pb-16">
        <h1 className="text-[clamp(3.6rem,11vw,9rem)] sign uppercase">
          Skill
          <br />
          Arcade
        </h1>
        <p className="mt-5 max-w-md text-lg text-pretty text-dim sm:text-xl">
          {count > 0 && <strong className="text-ink">{count} games, no coins. </strong>}
          You play the very worlds that machines learn in, and every move you make teaches
          something.
        </p>
        {last !== undefined && (
          <Link to={paths.play(last.id)} className={`mt-7 ${buttonClass("action")}`}>
            Play {last.name} again
          </Link>
        )}
      </div>
    </section>
  );
}

/** Half a sun of the house's four colours, rising behind the sign. */
function Sun() {
  const rings = ["var(--tomato)", "var(--tangerine)", "var(--marigold)", "var(--teal)"];
  return (
    <svg
      viewBox="0 0 400 400"
      aria-hidden="true"
      className="absolute -right-[18%] bottom-0 -z-10 h-[74%] opacity-90 sm:-right-[4%] sm:h-full lg:right-0"
      fill="none"
      strokeWidth="54"
    >
      {rings.map((colour, index) => {
        const radius = 368 - index * 76;
        return (
          <path
            key={colour}
            d={`M${400 - radius} 400a${radius} ${radius} 0 0 1 ${radius}-${radius}`}
            stroke={colour}
          />
        );
      })}
    </svg>
  );
}
